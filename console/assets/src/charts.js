// Draws every <figure data-chart> by ECharts in SVG mode. What is drawn is decided in console/charts.py; colours follow the theme.
import { BarChart, FunnelChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([
  AriaComponent, BarChart, DatasetComponent, FunnelChart, GridComponent, LegendComponent, LineChart, MarkLineComponent,
  PieChart, ScatterChart, SVGRenderer, TooltipComponent,
]);

const drawn = new Set();
const NARROW = 480;

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function themed(option, width) {
  const text = { color: token("--text-2"), fontFamily: token("--font"), fontSize: 12 };
  const axis = { axisLine: { lineStyle: { color: token("--line-2") } }, axisLabel: text, nameTextStyle: text, splitLine: { lineStyle: { color: token("--line") } } };
  const dressed = (one) => (Array.isArray(one) ? one.map(dressed) : one && { ...axis, ...one, axisLabel: { hideOverlap: true, ...text, ...one.axisLabel } });
  return {
    ...option,
    animation: false,
    textStyle: { fontFamily: token("--font") },
    xAxis: dressed(option.xAxis),
    yAxis: dressed(option.yAxis),
    legend: option.legend && { itemGap: width < NARROW ? 12 : 24, itemWidth: width < NARROW ? 14 : 25, ...option.legend, textStyle: text },
    tooltip: { ...option.tooltip, renderMode: "richText", backgroundColor: token("--surface"), borderColor: token("--line-2"), textStyle: { color: token("--text"), fontSize: 12 } },
  };
}

function draw(figure) {
  const place = figure.querySelector(".chart-place");
  const chart = echarts.getInstanceByDom(place) || echarts.init(place, null, { renderer: "svg" });
  chart.setOption(themed(JSON.parse(figure.dataset.chart), place.clientWidth), true);
  if (!drawn.has(chart)) {
    drawn.add(chart);
    new ResizeObserver(() => chart.resize()).observe(place);
  }
}

// A live part brings charts as they are now: the numbers of the one that stands there change, and a table that was opened stays so.
function redraw(brought) {
  const place = document.querySelector(`[data-chart-place="${brought.dataset.redraws}"]`);
  const fresh = brought.content.querySelector("figure[data-chart]");
  const standing = place?.querySelector("figure[data-chart]");
  if (!standing) return place?.replaceChildren(fresh);
  standing.dataset.chart = fresh.dataset.chart;
  standing.querySelector("table").replaceWith(fresh.querySelector("table"));
}

function drawAll(within) {
  for (const brought of within.querySelectorAll("template[data-redraws]")) redraw(brought);

  for (const figure of within.querySelectorAll("figure[data-chart]")) draw(figure);
}

drawAll(document);
document.addEventListener("htmx:after:swap", () => drawAll(document));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
