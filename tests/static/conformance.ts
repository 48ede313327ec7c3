/** Compiles only if the modules are what pycaserver.d.ts declares, and show nothing else. */

import * as declared from "../../static/pycaserver.js";
import { PVClient, sharedClient } from "../../static/client/client.js";
import { PVError } from "../../static/client/errors.js";
import { Subscription } from "../../static/client/subscription.js";

export const all: typeof declared = { PVClient, PVError, sharedClient };

type Nothing<Names> = [Names] extends [never] ? true : Names;

export const undeclared: [
  Nothing<Exclude<keyof PVClient, keyof declared.PVClient>>,
  Nothing<Exclude<keyof PVError, keyof declared.PVError>>,
] = [true, true];

/** What the client's own modules call is not for pages. */
type Inner = "deliver" | "catchUp" | "wantHistory" | "historyAsked" | "historyIs" | "ask";

export const ofSubscriptions: Nothing<Exclude<keyof Subscription, keyof declared.Subscription | Inner>> = true;
