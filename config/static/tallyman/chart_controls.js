/* Charts without a pointer: legends that toggle, arrow keys that move, a voice that tells. */
"use strict";
{
    const { stateOf, draw, eventsUrl, isRing } = window.tallyman.charts;
    const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

    const canvasOf = (legend) => document.getElementById(legend.dataset.legendOf);
    const legendOf = (canvas) => document.querySelector(`[data-legend-of="${canvas.id}"]`);
    const namesOf = ({ payload }) => payload.data.datasets.map((set) => set.label);

    function toggle(canvas, name, button) {
        const { hidden } = stateOf(canvas.id);
        if (!hidden.delete(name)) {
            hidden.add(name);
        }
        button.setAttribute("aria-pressed", String(!hidden.has(name)));
        draw(canvas);
    }

    function arm(legend) {
        const canvas = canvasOf(legend);
        legend.querySelectorAll("li[data-series]:not(:has(button))").forEach((item) => {
            const name = item.dataset.series;
            const button = document.createElement("button");
            button.type = "button";
            button.id = `${canvas.id}-series-${[...legend.children].indexOf(item)}`;
            button.setAttribute("aria-pressed", String(!stateOf(canvas.id).hidden.has(name)));
            button.append(...item.childNodes);
            button.addEventListener("click", () => toggle(canvas, name, button));
            item.append(button);
        });
    }

    /* The bars or slices that can be moved to: periods, and within one the series that it has. */
    function reachable({ payload, hidden }) {
        const names = namesOf({ payload });
        const sets = payload.data.datasets;
        const seen = (period) => names.map((_, i) => i)
            .filter((i) => !hidden.has(names[i]) && (period === null || sets[i].data[period] !== 0));
        return isRing(payload)
            ? { periods: seen(null), seriesOf: () => [] }
            : { periods: payload.data.labels.map((_, i) => i), seriesOf: seen };
    }

    function elementsAt(state, { period, series }) {
        if (isRing(state.payload)) {
            return [{ datasetIndex: 0, index: period }];
        }
        const wanted = series === null ? reachable(state).seriesOf(period) : [series];
        return wanted.map((datasetIndex) => ({ datasetIndex, index: period }));
    }

    function told({ payload }, { period, series }) {
        const { value, percent } = window.tallyman.formatsOf(payload.symbol);
        const sets = payload.data.datasets;
        if (isRing(payload)) {
            const whole = payload.totals.reduce((total, each) => total + each, 0);
            const [amount] = sets[period].data;
            return `${sets[period].label}: ${value(amount)}, ${percent(amount, whole)}`;
        }
        const title = payload.titles[period];
        if (series !== null) {
            return `${sets[series].label}: ${value(sets[series].data[period])}, ${title}`;
        }
        return [`${title}: ${payload.notes[period][0]}`, ...payload.notes[period].slice(1)].join(", ");
    }

    function point(canvas, state) {
        const { chart, active } = state;
        const all = active ? elementsAt(state, { ...active, series: null }) : [];
        chart.setActiveElements(active ? elementsAt(state, active) : []);
        chart.tooltip.setActiveElements(all, { x: 0, y: 0 });
        chart.update("none");
        const voice = document.getElementById("chart-voice");
        if (voice) {
            voice.textContent = active ? told(state, active) : "";
        }
    }

    /* The neighbour of `at` among `places`, or the end that `step` comes from. */
    function next(places, at, step) {
        const found = places.indexOf(at);
        if (found < 0) {
            return places.at(step > 0 ? 0 : -1);
        }
        return places[Math.min(Math.max(found + step, 0), places.length - 1)];
    }

    function moved(state, key) {
        const { periods, seriesOf } = reachable(state);
        const at = (to) => ({ period: to, series: seriesOf(to).includes(series) ? series : null });
        const { period, series } = state.active || { period: -1, series: null };
        const upright = { ArrowUp: 1, ArrowDown: -1 };
        if (key === "Home" || key === "End") {
            return at(periods.at(key === "Home" ? 0 : -1));
        }
        const step = STEPS[key] ?? (isRing(state.payload) ? -upright[key] : undefined);
        if (step !== undefined) {
            return at(next(periods, period, step));
        }
        const places = [null, ...seriesOf(period)];
        return period < 0 ? null : { period, series: next(places, series, upright[key]) };
    }

    function steer(event) {
        const canvas = event.target;
        const state = stateOf(canvas.id);
        if (!state.chart || event.altKey || event.ctrlKey || event.metaKey) {
            return;
        }
        if (event.key === "Escape") {
            canvas.blur();
        } else if (event.key === "Enter" && state.active) {
            const { period, series } = state.active;
            const ring = isRing(state.payload);
            location.assign(eventsUrl(state.payload, ring ? 0 : period, ring ? period : series));
        } else if (["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) {
            event.preventDefault();
            state.active = moved(state, event.key);
            point(canvas, state);
        }
    }

    /* A refresh takes the focus for a moment and gives it back. */
    function leave(canvas) {
        const state = stateOf(canvas.id);
        if (document.activeElement !== canvas && state.active) {
            state.active = null;
            point(canvas, state);
        }
    }

    function armCanvas(canvas) {
        const state = stateOf(canvas.id);
        if (!canvas.dataset.armed) {
            canvas.dataset.armed = "yes";
            canvas.setAttribute("role", "application");
            canvas.setAttribute("aria-roledescription", "chart");
            canvas.setAttribute("aria-label", `${canvas.getAttribute("aria-label")}. Arrow keys move, Enter opens the events, Escape leaves.`);
            canvas.addEventListener("keydown", steer);
            canvas.addEventListener("blur", () => setTimeout(leave, 0, canvas));
        }
        if (document.activeElement === canvas && state.active) {
            point(canvas, state);
        }
    }

    document.addEventListener("tallyman:drawn", ({ target }) => {
        const legend = legendOf(target);
        if (legend) {
            arm(legend);
        }
        armCanvas(target);
    });
}
