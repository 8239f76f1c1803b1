/* The badge in the header and the line below it: asked for again every half minute. */
"use strict";
{
    const EVERY = 30_000;

    async function refresh(badge, line) {
        const answer = await fetch(badge.dataset.url, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) {
            return;
        }
        const { version, badge: shown, line: told } = await answer.json();
        // What somebody is about to press stays where it is.
        if (version === badge.dataset.version || line.contains(document.activeElement)) {
            return;
        }
        badge.dataset.version = version;
        badge.innerHTML = shown;
        line.innerHTML = told;
    }

    const badge = document.getElementById("alerts-badge");
    const line = document.getElementById("alerts-line");
    if (badge && line) {
        const again = () => (document.hidden ? null : refresh(badge, line).catch(() => null));
        setInterval(again, EVERY);
        document.addEventListener("visibilitychange", again);
        document.addEventListener("tallyman:changed", again);
    }
}
