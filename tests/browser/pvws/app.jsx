import { executeAction, store, useConnection } from "@diamondlightsource/cs-web-lib";
import { createRoot } from "react-dom/client";
import { Provider } from "react-redux";

const query = new URLSearchParams(location.search);
const ours = store({ PVWS_SOCKET: query.get("socket"), THROTTLE_PERIOD: "20" });

function Show({ pv }) {
  const [, connected, readonly, value] = useConnection(`show ${pv}`, pv);
  const shown = { connected, readonly, ...value?.value, alarm: value?.alarm?.quality, units: value?.display?.units };
  return <p data-pv={pv}>{JSON.stringify(shown)}</p>;
}

window.write = (pvName, value) => executeAction({ type: "WRITE_PV", writePvInfo: { pvName, value } });
createRoot(document.body.appendChild(document.createElement("div"))).render(
  <Provider store={ours}>
    {query.getAll("pv").map((pv) => (
      <Show key={pv} pv={pv} />
    ))}
  </Provider>,
);
