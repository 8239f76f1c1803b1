/* Draws a page's chart in the colours of the theme and keeps what is live fresh. */
"use strict";
{
    const OTHER = 6;
    let chart = null;
    let payload = null;

    const canvas = () => document.getElementById("spend-chart");
    const variable = (name) =>
        getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    const colour = (index) => variable(`--tm-c${index || OTHER}`);

    function formatters(currency) {
        const money = (digits) => new Intl.NumberFormat("en-US", {
            style: "currency", currency,
            minimumFractionDigits: digits, maximumFractionDigits: digits,
        });
        const count = new Intl.NumberFormat("en-US");
        const cents = money(2);
        return {
            amount: (value) => (value > 0 && value < 0.005 ? "<" + cents.format(0.01) : cents.format(value)),
            axis: (value, step) => money(step < 1 ? Math.max(2, Math.min(6, Math.ceil(-Math.log10(step)))) : 0).format(value),
            count: (value) => count.format(value),
        };
    }

    function openEvents(elements) {
        if (!elements.length) {
            return;
        }
        const { datasetIndex, index } = elements[0];
        const url = new URL(payload.events_url, location.href);
        const parts = { ...payload.days[index], ...payload.series[datasetIndex] };
        Object.entries(parts).forEach(([name, value]) => url.searchParams.set(name, value));
        location.assign(url);
    }

    function options(format) {
        const quiet = variable("--body-quiet-color");
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        return {
            ...payload.options,
            responsive: true,
            maintainAspectRatio: false,
            animation: still || chart ? false : { duration: 250 },
            interaction: { mode: "nearest", axis: "x", intersect: true },
            onClick: (_event, elements) => openEvents(elements),
            onHover: (event, elements) => {
                event.native.target.classList.toggle("tm-pointer", elements.length > 0);
            },
            scales: {
                x: {
                    stacked: true,
                    grid: { display: false },
                    border: { color: variable("--hairline-color") },
                    ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 24, font: { size: 11 } },
                },
                y: {
                    stacked: true,
                    beginAtZero: true,
                    border: { display: false },
                    grid: { color: variable("--hairline-color") },
                    ticks: {
                        color: quiet, maxTicksLimit: 5, font: { size: 11 },
                        callback: (value, _index, ticks) =>
                            format.axis(value, ticks.length > 1 ? ticks[1].value - ticks[0].value : 1),
                    },
                },
            },
            plugins: {
                legend: { display: false },
                tooltip: {
                    mode: "index",
                    intersect: false,
                    filter: (item) => item.raw !== 0,
                    itemSort: (a, b) => b.datasetIndex - a.datasetIndex,
                    callbacks: {
                        title: (items) => (items.length ? payload.titles[items[0].dataIndex] : ""),
                        label: (item) => ` ${item.dataset.label}  ${format.amount(item.raw)}`,
                        footer: (items) => (items.length ? footer(items[0].dataIndex, format) : ""),
                    },
                },
            },
        };
    }

    function footer(index, format) {
        return [
            `Total ${format.amount(payload.totals[index])}`,
            `${format.count(payload.tokens[index])} tokens`,
            `${format.count(payload.requests[index])} requests`,
        ];
    }

    function draw() {
        if (!payload || !canvas() || typeof Chart === "undefined") {
            return;
        }
        const format = formatters(payload.currency);
        const datasets = payload.data.datasets.map((set) => ({
            label: set.label,
            data: set.data,
            backgroundColor: colour(set.colour),
            maxBarThickness: 28,
            categoryPercentage: 0.9,
            barPercentage: 0.9,
        }));
        Chart.defaults.font.family = variable("--font-family-primary") || "system-ui";
        const settings = options(format);
        if (chart) {
            chart.destroy();
        }
        chart = new Chart(canvas(), {
            type: payload.type, data: { labels: payload.data.labels, datasets }, options: settings,
        });
        canvas().dataset.drawn = String(Number(canvas().dataset.drawn || 0) + 1);
    }

    async function load() {
        if (!canvas()) {
            return;
        }
        const answer = await fetch(canvas().dataset.chartUrl, { headers: { Accept: "application/json" } });
        if (answer.ok) {
            payload = await answer.json();
            draw();
        }
    }

    /* Replaces what is marked as live by what the server shows now. An open table stays open,
       and the chart keeps its canvas unless it is a different chart. */
    async function refresh() {
        if (document.hidden || document.querySelector("#filter-bar :focus")) {
            return null;
        }
        const answer = await fetch(location.href);
        if (!answer.ok || answer.redirected) {
            return null;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const open = document.getElementById("spend-table")?.open;
        let changed = false;
        document.querySelectorAll("[data-live]").forEach((part) => {
            const fresh = page.getElementById(part.id);
            if (fresh && fresh.innerHTML !== part.dataset.shown) {
                changed = changed || part.contains(canvas()) || fresh.querySelector("canvas") !== null;
                part.dataset.shown = fresh.innerHTML;
                part.replaceChildren(...fresh.childNodes);
            }
        });
        const table = document.getElementById("spend-table");
        if (table && open) {
            table.open = true;
        }
        if (changed) {
            await load();
        }
        return page.querySelector("[data-refresh-seconds]");
    }

    function schedule(root) {
        const seconds = Number(root?.dataset.refreshSeconds || 30);
        setTimeout(async () => {
            const fresh = await refresh().catch(() => null);
            schedule(fresh || root);
        }, seconds * 1000);
    }

    document.querySelectorAll("[data-live]").forEach((part) => { part.dataset.shown = part.innerHTML; });
    document.getElementById("filter-bar")?.classList.add("tm-scripted");
    document.querySelectorAll("select[data-submit]").forEach((select) => {
        select.addEventListener("change", () => select.form.requestSubmit());
    });
    document.getElementById("filter-bar")?.addEventListener("formdata", (event) => {
        [...event.formData].filter(([, value]) => value === "").forEach(([name]) => event.formData.delete(name));
    });
    new MutationObserver(draw).observe(document.documentElement, {
        attributes: true, attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    load();
    schedule(document.querySelector("[data-refresh-seconds]"));
}
