// What the console's pages do where there is script. They work without it.
"use strict";
(function () {
  // Forms that htmx sends carry the proof that plain forms have in a field.
  document.addEventListener("htmx:configRequest", function (event) {
    var field = document.querySelector('input[name="csrf"]');
    if (field) event.detail.headers["X-Csrf-Token"] = field.value;
  });
  // A part that could not be fetched says so.
  document.addEventListener("htmx:sendError", function () { announce("The server cannot be reached."); });

  function announce(text) {
    var place = document.getElementById("announce");
    if (place) place.textContent = text;
  }
  window.usherAnnounce = announce;

  function typing(target) {
    return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName) && !/^(checkbox|radio|button|submit)$/i.test(target.type || "");
  }

  var pending = "", timer;
  var places = { o: "/console/", u: "/console/users", g: "/console/groups", c: "/console/companies", l: "/console/licences", i: "/console/imports", a: "/console/audit", s: "/console/settings" };

  function rows() { return Array.prototype.slice.call(document.querySelectorAll("[data-rows] [data-row]")); }
  function move(step) {
    var list = rows();
    if (!list.length) return false;
    var at = list.indexOf(document.activeElement.closest("[data-row]"));
    var next = list[Math.max(0, Math.min(list.length - 1, at < 0 ? 0 : at + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
    if (typing(event.target)) {
      if (event.key === "ArrowDown" && event.target.type === "search" && move(0)) event.preventDefault();
      return;
    }
    if (document.querySelector("dialog[open]")) return;
    if (pending === "g" && places[event.key]) { location.href = places[event.key]; return; }
    pending = event.key; clearTimeout(timer); timer = setTimeout(function () { pending = ""; }, 1200);
    var row = document.activeElement.closest("[data-row]");
    switch (event.key) {
      case "/":
        var find = document.querySelector("[data-find]") || document.querySelector('[data-key="/"]');
        if (find) { find.focus(); find.select(); event.preventDefault(); }
        break;
      case "?":
        var keys = document.getElementById("keys");
        if (keys && keys.showModal) { keys.showModal(); event.preventDefault(); }
        break;
      case "j": case "ArrowDown": if (rows().length && (event.key === "j" || row)) { move(1); event.preventDefault(); } break;
      case "k": case "ArrowUp": if (rows().length && (event.key === "k" || row)) { move(-1); event.preventDefault(); } break;
      case "Enter":
        if (row && event.target === row) { var link = row.querySelector("a[href]"); if (link) link.click(); }
        break;
      case "x":
        if (row) { var box = row.querySelector('input[type="checkbox"]'); if (box) box.click(); event.preventDefault(); }
        break;
      case "e":
        var edit = row ? row.querySelector("[data-edit]") || row.querySelector("a[href]") : document.querySelector("[data-edit]");
        if (row && edit && !edit.hasAttribute("data-edit")) { location.href = edit.href.replace(/[?#].*$/, "") + "/edit"; event.preventDefault(); }
        else if (edit) { edit.click(); event.preventDefault(); }
        break;
    }
  });

  // Buttons that open a dialogue name it; without script what it asks stands on a page
  // of its own, to which the button is a link.
  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    if (opener) {
      var dialog = document.getElementById(opener.getAttribute("data-dialog"));
      if (dialog && dialog.showModal) { event.preventDefault(); dialog.showModal(); }
    }
    var copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      var from = document.getElementById(copy.getAttribute("data-copy"));
      navigator.clipboard.writeText(from.textContent).then(function () { announce("Copied."); copy.textContent = "Copied"; });
    }
    document.querySelectorAll("details.menu[open]").forEach(function (menu) { if (!menu.contains(event.target)) menu.open = false; });
  });

  // A form is sent once.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method === "dialog" || form.hasAttribute("data-again")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    setTimeout(function () { delete form.dataset.sent; }, 3000);
  });
  window.addEventListener("pageshow", function () { document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; }); });
})();
