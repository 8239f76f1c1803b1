/* The line at the foot of the sidebar, filled once the page is there and again when it changed. */
"use strict";
{
    async function fill(line) {
        const answer = await fetch(line.dataset.url, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) {
            return;
        }
        const { today, month, level, word } = await answer.json();
        line.querySelector("[data-today]").textContent = today;
        line.querySelector("[data-month]").textContent = month;
        const badge = line.querySelector("[data-level]");
        badge.hidden = !level;
        if (level) {
            badge.className = `tm-badge ${{ ok: "k", warn: "w", over: "o" }[level]}`;
            badge.textContent = word;
        }
        line.hidden = false;
    }

    const line = document.getElementById("quick-stats");
    if (line) {
        const again = () => fill(line).catch(() => null);
        document.addEventListener("tallyman:changed", again);
        again();
    }
}
