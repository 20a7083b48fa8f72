// Keeps a list's rows as they stand now: asks for the parts in sight and exchanges those that have
// changed, so ticks, focus and scrolling stay.
(() => {
  "use strict";

  async function look(source) {
    const parts = [...document.querySelectorAll("[data-live-part]")];
    const ids = new Set(parts.map((part) => part.dataset.livePart.split("-").pop()));
    if (!ids.size || document.hidden) return;
    const answer = await fetch(`${source.dataset.liveRows}?ids=${[...ids].join(",")}`);
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      const fresh = page.querySelector(`[data-live-part="${part.dataset.livePart}"]`);
      const inUse = part.contains(document.activeElement);
      if (fresh && !inUse && fresh.innerHTML !== part.dataset.stood) {
        if (part.dataset.stood !== undefined || fresh.innerHTML !== part.innerHTML) {
          part.innerHTML = fresh.innerHTML;
        }
        part.dataset.stood = fresh.innerHTML;
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const source = document.querySelector("[data-live-rows]");
    if (!source) return;
    const again = () =>
      setTimeout(async () => {
        await look(source).catch(() => {}); // the desk may be restarting
        again();
      }, Number(source.dataset.liveSeconds) * 1000);
    again();
  });
})();
