/* Keeps what is live on a dashboard fresh, and leaves alone what somebody is doing there. */
"use strict";
window.tallyman = window.tallyman || {};
{
    const BUSY = "#filter-bar :focus, #filter-bar details[open], [data-live] :is(input, select, textarea):focus";

    const busy = () =>
        document.hidden || document.querySelector(BUSY) !== null || !getSelection().isCollapsed;

    const key = (element) => element.id || (element.href ? `${element.getAttribute("href")} ${element.textContent}` : "");

    /* What a part holds that its HTML does not tell: open tables, scrolled ones, the focus. */
    function remember(part) {
        const focused = part.contains(document.activeElement) ? document.activeElement : null;
        return {
            open: [...part.querySelectorAll("details[id]")].filter((each) => each.open).map((each) => each.id),
            scrolled: [...part.querySelectorAll(".tm-scroll[id]")].map((each) => [each.id, each.scrollTop, each.scrollLeft]),
            focused: focused && { tag: focused.tagName, key: key(focused) },
        };
    }

    function restore(part, was) {
        was.open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
        was.scrolled.forEach(([id, top, left]) => document.getElementById(id)?.scrollTo(left, top));
        if (was.focused?.key) {
            const same = [...part.querySelectorAll(was.focused.tag)].find((each) => key(each) === was.focused.key);
            same?.focus({ preventScroll: true });
        }
    }

    /* A canvas that is asked for the same numbers stays, so that its chart does not flicker. */
    function keepCanvases(part, fresh) {
        fresh.querySelectorAll("canvas[data-chart-url]").forEach((canvas) => {
            const old = document.getElementById(canvas.id);
            if (old && part.contains(old) && old.dataset.chartUrl === canvas.dataset.chartUrl) {
                canvas.replaceWith(old);
            }
        });
    }

    function replace(part, fresh) {
        const was = remember(part);
        part.dataset.shown = fresh.innerHTML;
        keepCanvases(part, fresh);
        part.replaceChildren(...fresh.childNodes);
        restore(part, was);
    }

    async function refresh() {
        if (busy()) {
            return null;
        }
        const answer = await fetch(location.href);
        if (!answer.ok || answer.redirected) {
            return null;
        }
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (busy()) {
            return null;
        }
        const changed = [...document.querySelectorAll("[data-live]")].filter((part) => {
            const fresh = page.getElementById(part.id);
            const differs = fresh && fresh.innerHTML !== part.dataset.shown;
            if (differs) {
                replace(part, fresh);
            }
            return differs;
        });
        if (changed.length) {
            document.dispatchEvent(new Event("tallyman:changed"));
        }
        if (changed.some((part) => part.querySelector("canvas[data-chart-url]"))) {
            await window.tallyman.charts.loadAll();
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
    window.tallyman.refresh = refresh;
    schedule(document.querySelector("[data-refresh-seconds]"));
}
