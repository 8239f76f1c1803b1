/* Fields that suggest while somebody types are named by their labels. After autocomplete.js. */
"use strict";
django.jQuery(() => {
    document.querySelectorAll("select.admin-autocomplete").forEach((select) => {
        const [label] = select.labels;
        label.id ||= `${select.id}-label`;
        select.parentElement.querySelectorAll('[role="combobox"], [role="textbox"]').forEach((part) => {
            const named = part.getAttribute("aria-labelledby") || part.id;
            part.setAttribute("aria-labelledby", `${label.id} ${named}`);
        });
    });
});
