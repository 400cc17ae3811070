// What the list of users does where there is script: how many are selected, and all of
// a page at once.
"use strict";
(function () {
  function boxes(list) { return Array.prototype.slice.call(list.querySelectorAll('input[name="user"]')); }
  function refresh() {
    var list = document.getElementById("people");
    if (!list) return;
    var all = list.querySelector("[data-all]"), page = list.querySelector("[data-page]");
    var rows = boxes(list), chosen = 0;
    rows.forEach(function (box) {
      var row = box.closest("[data-row]");
      box.disabled = !!(all && all.checked);
      if (box.checked) chosen++;
      row.classList.toggle("chosen", box.checked || box.disabled);
    });
    if (page) { page.hidden = false; page.checked = chosen > 0 && chosen === rows.length; page.indeterminate = chosen > 0 && chosen < rows.length; page.disabled = !!(all && all.checked); }
    list.querySelectorAll("[data-act]").forEach(function (button) { button.disabled = !chosen && !(all && all.checked); });
  }
  document.addEventListener("change", function (event) {
    var list = event.target.closest("#people");
    if (!list) return;
    if (event.target.hasAttribute("data-page")) boxes(list).forEach(function (box) { box.checked = event.target.checked; });
    refresh();
    var n = boxes(list).filter(function (box) { return box.checked; }).length;
    if (window.usherAnnounce && event.target.type === "checkbox") window.usherAnnounce(event.target.hasAttribute("data-all") && event.target.checked ? "All that match are selected." : n + " selected.");
  });
  document.addEventListener("htmx:afterSwap", refresh);
  window.addEventListener("pageshow", refresh);
  refresh();
})();
