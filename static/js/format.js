// Numbers and codes as people read them. Money and prices arrive as decimal text, so nothing is rounded through floats
// before it is shown; the server's template filters (desk/operations/templatetags/figures.py) give the same texts.

export const UNKNOWN = "—";
const MINUS = "\u2212";

const STATES = {
  RUNNING: ["Running", "on"],
  STOPPED: ["Stopped", ""],
  STOPPING: ["Stopping", "busy"],
  ACTIVE: ["Active", "on"],
  STARTING: ["Starting", "busy"],
  RECONCILING: ["Reconciling", "busy"],
  REDUCE: ["Reduce only", "warn"],
  HALTED: ["Halted", "danger"],
  UP: ["Up", "on"],
  DOWN: ["Down", "warn"],
  CONNECTING: ["Connecting", "busy"],
  PENDING_NEW: ["Pending", "busy"],
  ACCEPTED: ["Working", "on"],
  PARTIALLY_FILLED: ["Partly filled", "on"],
  FILLED: ["Filled", "on"],
  CANCELED: ["Canceled", ""],
  EXPIRED: ["Expired", ""],
  REJECTED: ["Rejected", "warn"],
  PENDING_REPLACE: ["Replacing", "busy"],
  PENDING_CANCEL: ["Canceling", "busy"],
  UNKNOWN: ["UNKNOWN", "warn"],
  DENIED: ["Denied", "warn"],
  WORKING: ["Working", "on"],
  CANCELING: ["Canceling", "busy"],
  EXPIRING: ["Expiring", "busy"],
  DONE: ["Done", "on"],
  TRADING: ["Trading", "on"],
  PAUSED: ["Paused", "danger"],
  QUOTATION_ONLY: ["Quotation only", "warn"],
  OPERATIONAL_HALT: ["Operational halt", "danger"],
  MARKET_WIDE_HALT: ["Market-wide halt", "danger"],
  IPO_PENDING: ["IPO pending", "warn"],
  AUCTION_COLLAR: ["Auction collar", "warn"],
  SHORT_SALE_RESTRICTED: ["Short sale restricted", "warn"],
  AFTER_HOURS: ["After hours", "warn"],
  CLOSED: ["Closed", ""],
  OPEN: ["Open", "on"],
  EXTENDED_HOURS: ["Extended hours", "busy"],
};

export function stateOf(code) {
  return STATES[code] ?? [words(code), ""];
}

export function words(code) {
  if (code === null || code === undefined || code === "") return UNKNOWN;
  const text = String(code).replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

function parts(text) {
  const value = String(text);
  const negative = value.startsWith("-");
  const [whole, fraction = ""] = value.replace("-", "").split(".");
  return { negative, whole, fraction };
}

function rounded(text, places) {
  const { negative, whole, fraction } = parts(text);
  const scale = 10n ** BigInt(places);
  const scaled = BigInt(whole + fraction.padEnd(places + 1, "0").slice(0, places + 1));
  const units = (scaled + 5n) / 10n;
  return { negative: negative && units > 0n, units, whole: units / scale, fraction: units % scale };
}

export function money(text, { sign = false } = {}) {
  if (text === null || text === undefined) return UNKNOWN;
  const value = rounded(text, 2);
  const mark = value.negative ? MINUS : sign && value.units > 0n ? "+" : "";
  return `${mark}${grouped(String(value.whole))}.${String(value.fraction).padStart(2, "0")}`;
}

export function price(text) {
  if (text === null || text === undefined) return UNKNOWN;
  const { negative, whole, fraction } = parts(text);
  const kept = fraction.replace(/0+$/, "").padEnd(2, "0");
  return `${negative ? MINUS : ""}${grouped(whole)}.${kept}`;
}

export function quantity(value) {
  if (value === null || value === undefined) return UNKNOWN;
  const { negative, whole } = parts(value);
  return `${negative ? MINUS : ""}${grouped(whole)}`;
}

export function decimals(value, places) {
  if (value === null || value === undefined || Number.isNaN(value)) return UNKNOWN;
  const text = Number(value).toFixed(places);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", MINUS);
}

export function clock(timeNs) {
  if (!timeNs || timeNs === "0") return UNKNOWN;
  const text = String(timeNs);
  return new Date(Number(text.slice(0, -6))).toISOString().slice(11, 23);
}

// When something ends: to the second today, with its day on another one.
export function end(timeNs) {
  if (!timeNs || timeNs === "0") return UNKNOWN;
  const text = new Date(Number(String(timeNs).slice(0, -6))).toISOString();
  return text.slice(0, 10) === new Date().toISOString().slice(0, 10) ? text.slice(11, 19) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
}

export function duration(ns) {
  if (ns === null || ns === undefined) return UNKNOWN;
  if (ns < 10_000) return `${(ns / 1000).toFixed(2)} µs`;
  if (ns < 1_000_000) return `${(ns / 1000).toFixed(1)} µs`;
  if (ns < 1_000_000_000) return `${(ns / 1_000_000).toFixed(1)} ms`;
  return `${(ns / 1_000_000_000).toFixed(1)} s`;
}

export function age(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return UNKNOWN;
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
