// Tables of EVENT channels: the newest record on top (fills, denials), or one row per order that still works.

import { paintRow } from "./cells.js";
import { schedule } from "./painting.js";

const OPEN = new Set([
  "PENDING_NEW", "ACCEPTED", "PARTIALLY_FILLED", "PENDING_REPLACE", "PENDING_CANCEL", "UNKNOWN",
]);

class EventTable {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.template = table.querySelector("template[data-row-template]");
    this.only = table.dataset.onlyColumn ? [table.dataset.onlyColumn, table.dataset.onlyValue] : null;
    table.dataset.cap ??= "200";
    this.cap = Number(table.dataset.cap);
    this.rendered = new Set([...this.body.querySelectorAll("[data-sequence]")].map((row) => row.dataset.sequence));
    this.waiting = [];
    this.paint = this.paint.bind(this);
  }

  // A record projected while the page was rendered comes again with the stream's resume.
  event(channel, body, sequence) {
    if (this.only && String(body[this.only[0]]) !== this.only[1]) return;
    if (this.rendered.delete(String(sequence))) return;
    this.waiting.push(body);
    schedule(this.paint);
  }

  // Older records are no longer in the hub: the page that the server renders has them.
  gap() {
    this.table.dispatchEvent(new CustomEvent("gap", { bubbles: true }));
  }

  newRow(body) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    paintRow(row, body);
    row.classList.add("new");
    return row;
  }

  painted() {
    this.waiting = [];
    this.table.dispatchEvent(new CustomEvent("painted", { bubbles: true }));
  }
}

export class NewestFirst extends EventTable {
  newRow(body) {
    const row = super.newRow(body);
    if (body.match_number) row.dataset.fill = `${body.order_id}.${body.match_number}`;
    return row;
  }

  // The venue took a fill back: its row stays and says so.
  take(body) {
    if (!body.broken) this.body.prepend(this.newRow(body));
    else for (const row of this.body.querySelectorAll(`[data-fill="${body.order_id}.${body.match_number}"]`)) row.classList.add("undone");
  }

  paint() {
    for (const body of this.waiting.slice(-this.cap)) this.take(body);
    const rows = this.body.querySelectorAll("tr");
    for (let index = this.cap; index < rows.length; index += 1) rows[index].remove();
    this.painted();
  }
}

export class WorkingOrders extends EventTable {
  constructor(table) {
    super(table);
    this.rows = new Map([...this.body.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row]));
  }

  paint() {
    for (const body of this.waiting) if (body.order_id) this.takeOrder(body);
    this.painted();
  }

  takeOrder(body) {
    let row = this.rows.get(body.order_id);
    if (!OPEN.has(body.state)) {
      row?.remove();
      this.rows.delete(body.order_id);
      return;
    }
    if (!row) {
      if (body.kind !== "request" || body.action !== "ENTER") return;
      row = this.newRow(body);
      row.dataset.row = body.order_id;
      const field = row.querySelector("input[name=order_id]");
      if (field) field.value = body.order_id;
      this.rows.set(body.order_id, row);
      this.body.prepend(row);
    } else {
      const { state, leaves } = body;
      paintRow(row, body.kind === "report" ? { state, leaves } : { state });
    }
    row.dataset.state = body.state;
  }
}
