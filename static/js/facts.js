/** What the details panel tells of a PV besides its value: label -> text, nothing where there is nothing to tell. */

import { formatNumber } from "../elements/format.js";

const ACCESS = ["none", "read", "write", "read, write"];

/** Of the metadata and rights of an update, and of the answer to `info`, when there is one. */
const FACTS = {
  Type: ({ metadata }) => metadata && (metadata.count > 1 ? `${metadata.type}[${metadata.count}]` : metadata.type),
  Precision: ({ metadata }) => metadata?.precision != null && String(metadata.precision),
  Display: ({ metadata }) => formatLimits(metadata, "display"),
  Control: ({ metadata }) => formatLimits(metadata, "control"),
  Warning: ({ metadata }) => formatLimits(metadata, "warning"),
  Alarm: ({ metadata }) => formatLimits(metadata, "alarm"),
  States: ({ metadata }) => metadata?.enumStrings?.join(", "),
  Access: ({ access }, info) => access && formatAccess(access) + formatBar(access, info),
  Rule: (update, info) => info?.rule,
  Host: (update, info) => info?.host,
  Subscribers: (update, info) => info?.subscribers != null && String(info.subscribers),
};

/**
 * @param {object} update of the client
 * @param {object|null} info of the client, about the same PV
 * @returns {[string, string][]}
 */
export function facts(update, info) {
  return Object.entries(FACTS).map(([label, text]) => [label, text(update, info)]).filter(([, text]) => text);
}

const formatAccess = ({ read, write }) => ACCESS[Number(read) + 2 * Number(write)];

/** The rule that is shown too may allow what the IOC does not. */
function formatBar({ write }, info) {
  if (write || !info?.allowed?.write || info.access.write) return "";
  return info.host?.includes(":") ? " (the IOC forbids writing)" : " (it cannot be written)";
}

function formatLimits(metadata, kind) {
  const { low, high } = metadata?.[kind] ?? {};
  if (!low && !high) return null; // NaN, or 0 for both: the record sets none
  return [low, high].map((limit) => (Number.isNaN(limit) ? "none" : formatNumber(limit, metadata))).join(" … ");
}
