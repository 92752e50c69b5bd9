// Equity curves of finished backtests: fetched once, drawn once.

import { lineChart } from "./line-chart.js";

for (const element of document.querySelectorAll("[data-equity]")) {
  const answer = await fetch(element.dataset.equity, { headers: { Accept: "application/json" } });
  if (!answer.ok) continue;
  const { time, net } = await answer.json();
  if (time.length < 2) continue;
  element.querySelector(".chart-empty").hidden = true;
  lineChart(element, [time, net], { net: "Net", other: null });
}
