(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("scripts");
  try {
    var chosen = localStorage.getItem("kfp-release-theme");
    if (chosen === "light" || chosen === "dark") root.setAttribute("data-theme", chosen);
  } catch (refused) { /* no storage: the system's colours */ }
})();
