(function () {
  "use strict";
  var root = document.documentElement;
  var byId = function (id) { return document.getElementById(id); };
  var all = function (selector, within) { return Array.from((within || document).querySelectorAll(selector)); };
  var say = function (text) { byId("said").textContent = text; };

  function theme() {
    var button = byId("theme");
    var system = matchMedia("(prefers-color-scheme: dark)");
    function isDark() { return (root.getAttribute("data-theme") || (system.matches ? "dark" : "light")) === "dark"; }
    function show() { button.setAttribute("aria-label", isDark() ? "Light colours" : "Dark colours"); }
    button.addEventListener("click", function () {
      var next = isDark() ? "light" : "dark";
      root.setAttribute("data-theme", next);
      try { localStorage.setItem("kfp-release-theme", next); } catch (refused) { /* for this page alone */ }
      show();
    });
    system.addEventListener("change", show);
    show();
  }

  function copying() {
    function old(text) {
      var area = document.createElement("textarea");
      area.value = text;
      area.className = "unseen";
      document.body.appendChild(area);
      area.select();
      var done = document.execCommand("copy");
      area.remove();
      if (!done) throw new Error("refused");
    }
    function put(text) {
      if (!navigator.clipboard) return Promise.resolve().then(function () { old(text); });
      return navigator.clipboard.writeText(text).catch(function () { old(text); });
    }
    function tell(button, word) {
      button.textContent = word;
      say(word);
      setTimeout(function () { button.textContent = "Copy"; say(""); }, 1500);
    }
    document.addEventListener("click", function (event) {
      var button = event.target.closest("button.copy");
      if (!button) return;
      var code = "copyCode" in button.dataset ? button.parentNode.querySelector("code") : null;
      put(code ? code.textContent : button.dataset.copy).then(
        function () { tell(button, "Copied"); button.focus(); },
        function () { tell(button, "Not allowed"); }
      );
    });
  }

  function search() {
    var form = byId("search");
    if (!form) return;
    var fields = { q: byId("find"), "in": byId("in"), out: byId("out"), image: byId("image") };
    var items = all(".item").map(function (node) {
      return { node: node, text: node.dataset.find, filter: JSON.parse(node.dataset.filter), isHere: node.parentNode.id === "here" };
    });
    var total = items.filter(function (item) { return item.isHere; }).length;

    function matches(item, words) {
      return words.every(function (word) { return item.text.includes(word); }) &&
        (!fields["in"].value || item.filter["in"].includes(fields["in"].value)) &&
        (!fields.out.value || item.filter.out.includes(fields.out.value)) &&
        (!fields.image.value || item.filter.image === fields.image.value);
    }
    function counted(number) { return number + (number === 1 ? " component" : " components"); }
    function show() {
      var words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
      var filtered = words.length > 0 || ["in", "out", "image"].some(function (name) { return fields[name].value; });
      var here = 0, elsewhere = 0;
      items.forEach(function (item) {
        var found = matches(item, words);
        item.node.hidden = !found;
        if (found && item.isHere) here += 1;
        if (found && !item.isHere) elsewhere += 1;
      });
      all("[data-list]").forEach(function (list) {
        list.hidden = !all(".item", list).some(function (node) { return !node.hidden; });
        if (list.open !== undefined && filtered && !here) list.open = !list.hidden;
      });
      byId("nothing").hidden = here + elsewhere > 0;
      byId("clear").disabled = !filtered;
      byId("count").textContent = here + elsewhere === 0 ? "Nothing found" :
        (filtered ? here + " of " + counted(total) : counted(total)) +
        (filtered && elsewhere ? ", and " + elsewhere + " coming or gone" : "");
    }
    function keep() {
      var query = new URLSearchParams();
      Object.keys(fields).forEach(function (name) { if (fields[name].value) query.set(name, fields[name].value); });
      var text = query.toString();
      try { history.replaceState(null, "", location.pathname + (text ? "?" + text : "") + location.hash); } catch (refused) { /* not kept */ }
    }
    function read() {
      var query = new URLSearchParams(location.search);
      Object.keys(fields).forEach(function (name) {
        fields[name].value = query.get(name) || "";
        if (fields[name].value !== (query.get(name) || "")) fields[name].value = "";
      });
      show();
    }
    function change() { show(); keep(); }
    function clear() {
      Object.keys(fields).forEach(function (name) { fields[name].value = ""; });
      change();
      fields.q.focus();
    }
    form.addEventListener("input", change);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var first = items.find(function (item) { return !item.node.hidden; });
      if (first) first.node.querySelector("a").focus();
    });
    form.addEventListener("reset", function (event) { event.preventDefault(); clear(); });
    byId("all").addEventListener("click", clear);
    fields.q.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { event.preventDefault(); clear(); }
    });
    addEventListener("popstate", read);
    addEventListener("pageshow", read);
    read();
    if (location.hash === "#find") fields.q.focus();
  }

  function keys() {
    document.addEventListener("keydown", function (event) {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, select, textarea, [contenteditable]")) return;
      event.preventDefault();
      var field = byId("find");
      if (field) { field.focus(); field.select(); } else { location.href = document.body.dataset.home + "#find"; }
    });
  }

  function plots() {
    all(".plot .scroll").forEach(function (one) { one.scrollLeft = one.scrollWidth; });
    var holder = document.querySelector("[data-bars]");
    if (!holder) return;
    var bars = holder.dataset.bars.split("\n").map(function (line) { return line.split("\t"); });
    var titles = all("table.all thead th").map(function (cell) { return cell.textContent; });
    all(".plot[data-step]").forEach(function (plot) {
      var picture = plot.querySelector("svg[viewBox='0 0 800 220']");
      var cursor = plot.querySelector(".cursor"), readout = plot.querySelector(".readout");
      var step = Number(plot.dataset.step), current = null;
      picture.addEventListener("pointermove", function (event) {
        var box = picture.getBoundingClientRect();
        var place = Math.floor(((event.clientX - box.left) * 800 / box.width - 64) / step);
        current = bars[place] || null;
        cursor.setAttribute("visibility", current ? "visible" : "hidden");
        if (!current) { readout.textContent = ""; return; }
        cursor.setAttribute("x", 64 + place * step);
        readout.textContent = [current[0]].concat(current.slice(2).map(function (told, number) {
          return titles[number + 4] + " " + told;
        })).join(" · ");
      });
      picture.addEventListener("pointerleave", function () {
        cursor.setAttribute("visibility", "hidden");
        readout.textContent = "";
      });
      picture.addEventListener("click", function () { if (current) location.href = current[1]; });
    });
  }

  function printing() {
    addEventListener("beforeprint", function () { all("details").forEach(function (one) { one.open = true; }); });
  }

  theme();
  copying();
  search();
  keys();
  plots();
  printing();
})();
