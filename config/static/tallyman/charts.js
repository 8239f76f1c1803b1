/* Draws every `canvas[data-chart-url]` from its numbers, in the colours of the theme. */
"use strict";
window.tallyman = window.tallyman || {};
{
    const OTHER = 6;
    const THIN = 4; // pixels
    const shown = new Map(); // by the canvas's id: payload, chart, names of hidden series, period and series of the keyboard

    const variable = (name) =>
        getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colourOf = (index) => variable(`--tm-c${index || OTHER}`);
    const canvases = () => [...document.querySelectorAll("canvas[data-chart-url]")];
    const isRing = (payload) => payload.type === "doughnut";
    const sum = (values) => values.reduce((total, value) => total + value, 0);

    function stateOf(id) {
        if (!shown.has(id)) {
            shown.set(id, { payload: null, chart: null, hidden: new Set(), active: null });
        }
        return shown.get(id);
    }

    /* A null series or period filters nothing. */
    function eventsUrl(payload, period, series) {
        const url = new URL(payload.events_url, location.href);
        const parts = { ...payload.periods[period], ...payload.series[series] };
        Object.entries(parts).forEach(([name, value]) => url.searchParams.set(name, value));
        return url;
    }

    function pointed(payload, element) {
        return isRing(payload) ? [0, element.index] : [element.index, element.datasetIndex];
    }

    function openEvents(payload, chart, event, elements) {
        if (elements.length) {
            location.assign(eventsUrl(payload, ...pointed(payload, elements[0])));
            return;
        }
        const [column] = isRing(payload) ? []
            : chart.getElementsAtEventForMode(event, "index", { axis: "x", intersect: false }, true);
        if (column) {
            location.assign(eventsUrl(payload, column.index, null));
        }
    }

    /* A line between the parts of a bar, unless it would hide the part. */
    function separator({ chart, raw }) {
        const { y } = chart.scales;
        const height = y ? Math.abs(y.getPixelForValue(raw) - y.getPixelForValue(0)) : 0;
        return { top: Number(height > THIN) };
    }

    function datasetsOf(payload, hidden) {
        const edge = variable("--body-bg");
        const sets = payload.data.datasets;
        const paint = (colours) => ({
            backgroundColor: colours, hoverBackgroundColor: colours,
            borderColor: edge, hoverBorderColor: variable("--body-fg"), hoverBorderWidth: 1,
        });
        if (isRing(payload)) {
            return [{
                ...paint(sets.map((set) => colourOf(set.colour))),
                data: sets.map((set) => (hidden.has(set.label) ? 0 : sum(set.data))),
                borderWidth: 1, hoverOffset: 4,
            }];
        }
        return sets.map((set) => ({
            ...paint(colourOf(set.colour)),
            label: set.label, data: set.data, hidden: hidden.has(set.label),
            borderWidth: separator, borderSkipped: false,
            maxBarThickness: 28, categoryPercentage: 0.9, barPercentage: 0.9,
        }));
    }

    function scalesOf(format) {
        const quiet = variable("--body-quiet-color");
        const hairline = variable("--hairline-color");
        return {
            x: {
                stacked: true,
                grid: { display: false },
                border: { color: hairline },
                ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 24, font: { size: 11 } },
            },
            y: {
                stacked: true,
                beginAtZero: true,
                border: { display: false },
                grid: { color: hairline },
                ticks: {
                    color: quiet, maxTicksLimit: 5, font: { size: 11 },
                    callback: (value, _index, ticks) => format.tick(
                        value,
                        ticks.length > 1 ? ticks[1].value - ticks[0].value : 1,
                        ticks[ticks.length - 1].value,
                    ),
                },
            },
        };
    }

    function tooltipOf(payload, format) {
        const ring = isRing(payload);
        const line = (item) => (ring
            ? `${item.label}\t${format.value(item.raw)} · ${format.percent(item.raw, sum(payload.totals))}`
            : `${item.dataset.label}\t${format.value(item.raw)}`);
        return {
            enabled: false,
            external: window.tallyman.showTooltip,
            mode: ring ? "nearest" : "index",
            intersect: ring,
            filter: (item) => item.raw !== 0,
            itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
            callbacks: {
                title: (items) => (items.length ? payload.titles[ring ? 0 : items[0].dataIndex] : ""),
                label: line,
                footer: (items) => (items.length ? payload.notes[ring ? 0 : items[0].dataIndex] : ""),
            },
        };
    }

    function optionsOf(payload, again) {
        const format = window.tallyman.formatsOf(payload.symbol);
        const still = again || matchMedia("(prefers-reduced-motion: reduce)").matches;
        const form = isRing(payload)
            ? { cutout: "72%", layout: { padding: 6 }, interaction: { mode: "nearest", intersect: true } }
            : { scales: scalesOf(format), interaction: { mode: "nearest", axis: "x", intersect: true } };
        return {
            ...payload.options,
            ...form,
            responsive: true,
            maintainAspectRatio: false,
            animation: still ? false : { duration: 250 },
            onClick: (event, elements, chart) => openEvents(payload, chart, event, elements),
            onHover: (event, elements) => {
                event.native?.target.classList.toggle("tm-pointer", elements.length > 0);
            },
            plugins: { legend: { display: false }, tooltip: tooltipOf(payload, format) },
        };
    }

    function draw(canvas) {
        const state = stateOf(canvas.id);
        const { payload, hidden } = state;
        if (!payload || typeof Chart === "undefined") {
            return;
        }
        const again = state.chart?.canvas === canvas;
        state.chart?.destroy();
        Chart.defaults.font.family = variable("--font-family-primary") || "system-ui";
        const labels = isRing(payload) ? payload.data.datasets.map((set) => set.label) : payload.data.labels;
        state.chart = new Chart(canvas, {
            type: payload.type,
            data: { labels, datasets: datasetsOf(payload, hidden) },
            options: optionsOf(payload, again),
        });
        canvas.dataset.drawn = String(Number(canvas.dataset.drawn || 0) + 1);
        canvas.dispatchEvent(new CustomEvent("tallyman:drawn", { bubbles: true }));
    }

    async function numbersOf(canvas) {
        if (canvas.dataset.chartNumbers) {
            return JSON.parse(canvas.dataset.chartNumbers);
        }
        const answer = await fetch(canvas.dataset.chartUrl, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) {
            throw new Error(answer.statusText);
        }
        return answer.json();
    }

    async function load(canvas) {
        const place = canvas.parentNode;
        try {
            stateOf(canvas.id).payload = await numbersOf(canvas);
            place.classList.remove("tm-failed");
            draw(canvas);
        } catch {
            place.classList.toggle("tm-failed", !stateOf(canvas.id).payload);
        }
    }

    const redraw = () => canvases().forEach(draw);

    Object.assign(window.tallyman, {
        charts: { stateOf, draw, redraw, eventsUrl, isRing, loadAll: () => Promise.all(canvases().map(load)) },
    });

    /* Paper is white, whatever the theme. */
    let theme;
    addEventListener("beforeprint", () => {
        theme = document.documentElement.dataset.theme;
        document.documentElement.dataset.theme = "light";
        redraw();
    });
    addEventListener("afterprint", () => {
        document.documentElement.dataset.theme = theme || "auto";
        redraw();
    });
    new MutationObserver(redraw).observe(document.documentElement, {
        attributes: true, attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    document.addEventListener("DOMContentLoaded", () => window.tallyman.charts.loadAll());
}
