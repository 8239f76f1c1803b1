/* Numbers of charts as the rest of the page writes them. */
"use strict";
window.tallyman = window.tallyman || {};
{
    const SCALES = [[1e12, " T"], [1e9, " B"], [1e6, " M"], [1e3, " k"]];
    const SMALLEST = 0.01;

    const written = (value, digits) => Math.abs(value).toLocaleString("en-US", {
        minimumFractionDigits: digits, maximumFractionDigits: digits,
    });

    function money(value, symbol) {
        const sign = value < 0 ? "-" : "";
        const small = value !== 0 && Math.abs(value) < SMALLEST / 2;
        return small ? `${sign}<${symbol}${written(SMALLEST, 2)}` : `${sign}${symbol}${written(value, 2)}`;
    }

    /* How many decimals tell ticks apart that lie `step` from each other. */
    const decimals = (step) => (step >= 1 ? Number(step % 1 !== 0) : Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));

    function tick(value, step, top, symbol) {
        const [size, unit] = SCALES.find(([least]) => top >= least * 10) || [1, ""];
        const cents = symbol && step < 1 && unit === "" ? 2 : 0;
        const digits = Math.max(decimals(step / size), cents);
        return `${value < 0 ? "-" : ""}${symbol}${written(value / size, digits)}${value === 0 ? "" : unit}`;
    }

    function percent(part, whole) {
        const share = (100 * part) / whole;
        return share > 0 && share < 0.5 ? "<1 %" : `${Math.round(share)} %`;
    }

    /* `symbol` is what stands before amounts, "" for counts. */
    window.tallyman.formatsOf = (symbol) => ({
        value: (value) => (symbol ? money(value, symbol) : written(value, 0)),
        tick: (value, step, top) => tick(value, step, top, symbol),
        percent,
    });
}
