/* Waits for the first event of a key that was just made. */
"use strict";
{
    const EVERY = 2000;
    const place = document.getElementById("progress");
    const BADGES = { received: "k", quiet: "w" };

    function show({ state, title, detail, url }) {
        const badge = place.querySelector("[data-title]");
        if (badge.textContent !== title) {
            badge.textContent = title;
            badge.className = `tm-badge ${BADGES[state] || ""}`;
        }
        place.querySelector("[data-detail]").textContent = detail;
        const link = place.querySelector("[data-link]");
        link.href = url || "#";
        link.parentElement.hidden = !url;
        place.dataset.state = state;
    }

    async function look() {
        if (!document.hidden) {
            const answer = await fetch(place.dataset.url, { headers: { Accept: "application/json" } });
            if (answer.redirected || answer.status === 404) {
                return;
            }
            if (answer.ok) {
                show(await answer.json());
            }
        }
        wait();
    }

    function wait() {
        if (place.dataset.state !== "received") {
            setTimeout(() => look().catch(wait), EVERY);
        }
    }

    wait();
}
