// What the pages about a user do where there is script: what asks before something is
// done opens as a dialogue.
"use strict";
document.addEventListener("htmx:afterSwap", function (event) {
  if (event.target.id !== "ask-body") return;
  var dialog = document.getElementById("ask");
  if (dialog && dialog.showModal && !dialog.open) dialog.showModal();
  var first = dialog && dialog.querySelector("input:not([type=hidden]), select, textarea, button");
  if (first) first.focus();
});
document.addEventListener("click", function (event) {
  var closer = event.target.closest("[data-close]");
  var dialog = closer && closer.closest("dialog");
  if (dialog) { event.preventDefault(); dialog.close(); }
});
