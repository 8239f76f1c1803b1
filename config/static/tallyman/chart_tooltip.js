/* The box beside the bar or slice that is pointed at: what it is, each series, the notes. */
"use strict";
window.tallyman = window.tallyman || {};
{
    const GAP = 12;

    function element(tag, text, name) {
        const made = document.createElement(tag);
        made.textContent = text;
        if (name) {
            made.className = name;
        }
        return made;
    }

    function boxOf(chart) {
        const place = chart.canvas.parentNode;
        let box = place.querySelector(".tm-tip");
        if (!box) {
            box = element("div", "", "tm-tip");
            box.setAttribute("aria-hidden", "true");
            place.append(box);
        }
        return box;
    }

    function rowOf(label, value, colour) {
        const row = document.createElement("tr");
        const name = element("td", label);
        if (colour) {
            const square = element("i", "", "tm-dot");
            square.style.background = colour;
            name.prepend(square);
        }
        row.append(name, element("td", value, "n"));
        return row;
    }

    function place(box, tooltip, chart) {
        const { width } = chart;
        const left = tooltip.caretX + GAP + box.offsetWidth <= width
            ? tooltip.caretX + GAP : Math.max(0, tooltip.caretX - GAP - box.offsetWidth);
        box.style.left = `${Math.min(left, Math.max(0, width - box.offsetWidth))}px`;
        box.style.top = `${Math.max(0, Math.min(tooltip.caretY, chart.height - box.offsetHeight))}px`;
    }

    /* What Chart.js calls to show its tooltip outside of the canvas. */
    window.tallyman.showTooltip = ({ chart, tooltip }) => {
        const box = boxOf(chart);
        const shown = tooltip.opacity > 0;
        box.classList.toggle("tm-shown", shown);
        if (!shown) {
            return;
        }
        const table = document.createElement("table");
        (tooltip.dataPoints || []).forEach((point, i) => {
            const [label, value] = tooltip.body[i].lines[0].split("\t");
            table.append(rowOf(label, value, tooltip.labelColors[i].backgroundColor));
        });
        const notes = (tooltip.footer || []).map((line) => element("p", line));
        box.replaceChildren(element("b", tooltip.title.join(" ")), table, ...notes);
        place(box, tooltip, chart);
    };
}
