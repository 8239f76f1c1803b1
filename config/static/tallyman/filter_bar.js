/* The bar above dashboards: a choice shows at once, empty fields stay out of the address, and
   filters suggest what the view holds. */
"use strict";
{
    const bar = document.getElementById("filter-bar");

    /* Arrow keys change a closed select at every press: then Enter or Apply shows the choice. */
    function submitOnChoice(select) {
        let byKey = false;
        select.addEventListener("pointerdown", () => { byKey = false; });
        select.addEventListener("keydown", ({ key }) => {
            if (key === "Enter" && byKey) {
                select.form.requestSubmit();
            }
            byKey = true;
        });
        select.addEventListener("change", () => {
            const { form } = select;
            const cleared = select.dataset.clears && form.elements[select.dataset.clears];
            if (cleared) {
                cleared.value = "";
            }
            if (byKey) {
                bar.classList.remove("tm-scripted");
            } else {
                form.requestSubmit();
            }
        });
    }

    function leaveEmptyOut(event) {
        [...event.formData].filter(([, value]) => value === "").forEach(([name]) => event.formData.delete(name));
    }

    function offerOwnZone(select) {
        const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
        if (own && ![...select.options].some((option) => option.text === own)) {
            select.add(new Option(`${own} (this browser)`, own));
        }
    }

    /* One open menu at a time; Escape and a press elsewhere close it. */
    function closeMenus(except) {
        bar.querySelectorAll("details[open]").forEach((menu) => { menu.open = menu === except; });
    }

    function opened(menu) {
        closeMenus(menu);
        keepInside(menu);
    }

    function leaveMenu(event) {
        const menu = bar.querySelector("details[open]");
        if (event.key === "Escape" && menu) {
            menu.open = false;
            menu.querySelector("summary").focus();
        }
    }

    /* A menu near the right edge opens towards the left. */
    function keepInside(menu) {
        const { style } = menu.querySelector(".tm-drop");
        style.left = "0";
        const beyond = menu.querySelector(".tm-drop").getBoundingClientRect().right - bar.getBoundingClientRect().right;
        style.left = `${-Math.max(0, Math.ceil(beyond))}px`;
    }

    async function suggest(menu) {
        if (!menu.open || menu.dataset.suggested) {
            return;
        }
        menu.dataset.suggested = "asked";
        const answer = await fetch(menu.dataset.valuesUrl, { headers: { Accept: "application/json" } });
        if (!answer.ok || answer.redirected) {
            delete menu.dataset.suggested;
            return;
        }
        Object.entries(await answer.json()).forEach(([name, values]) => {
            const list = document.getElementById(`values-${name}`);
            list?.replaceChildren(...values.map((value) => new Option(value, value)));
        });
        menu.dataset.suggested = "all";
    }

    if (bar) {
        bar.classList.add("tm-scripted");
        bar.querySelectorAll("select[data-submit]").forEach(submitOnChoice);
        bar.querySelectorAll("select[data-zones]").forEach(offerOwnZone);
        bar.addEventListener("formdata", leaveEmptyOut);
        bar.addEventListener("keydown", leaveMenu);
        bar.querySelectorAll("details").forEach((menu) => {
            menu.addEventListener("toggle", () => { if (menu.open) { opened(menu); } });
        });
        document.addEventListener("pointerdown", (event) => {
            if (!event.target.closest("#filter-bar details[open]")) {
                closeMenus(null);
            }
        });
        const filters = document.getElementById("more-filters");
        filters?.addEventListener("toggle", () => suggest(filters).catch(() => null));
        bar.querySelectorAll("button[data-print]").forEach((button) => {
            button.hidden = false;
            button.addEventListener("click", () => window.print());
        });
    }
}
