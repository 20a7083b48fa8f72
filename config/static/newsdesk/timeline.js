// The queue's timeline: what waits is dragged to another hour or day of its channel, or moved with
// Shift and an arrow key. Pointer events, so that fingers and pens drag as well as a mouse.
(() => {
  "use strict";

  const FAR_ENOUGH = 5; // pixels before a press is a drag
  const timeline = () => document.getElementById("timeline");
  let drag = null;
  let droppedAt = 0;

  const cellAt = (x, y) => {
    const cell = document.elementFromPoint(x, y)?.closest("td[data-to]");
    return cell && drag && cell.dataset.lane === drag.chip.dataset.lane ? cell : null;
  };

  function begin(event) {
    drag.ghost = drag.chip.cloneNode(true);
    drag.ghost.removeAttribute("id");
    drag.ghost.classList.add("tl-ghost");
    drag.chip.dataset.dragged = "";
    document.body.append(drag.ghost);
    for (const cell of timeline().querySelectorAll("td[data-to]")) {
      cell.classList.toggle("tl-open", cell.dataset.lane === drag.chip.dataset.lane);
    }
    drag.chip.setPointerCapture?.(event.pointerId);
  }

  function end() {
    drag?.ghost?.remove();
    if (drag) delete drag.chip.dataset.dragged;
    for (const cell of timeline()?.querySelectorAll(".tl-open, .tl-over") ?? []) {
      cell.classList.remove("tl-open", "tl-over");
    }
    drag = null;
  }

  async function move(chip, to) {
    const data = new FormData(document.getElementById("timeline-token"));
    data.set("delivery", chip.dataset.moves);
    data.set("seen", chip.dataset.seen);
    data.set("to", to);
    const card = timeline();
    card.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(card.dataset.move, { method: "POST", body: data });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("timeline");
      if (!answer.ok || !fresh) throw new Error(String(answer.status));
      document.dispatchEvent(new CustomEvent("desk:exchange", { detail: { card, fresh } }));
      document.getElementById(chip.id)?.focus({ preventScroll: true });
    } catch {
      card.removeAttribute("aria-busy");
      location.reload();
    }
  }

  document.addEventListener("pointerdown", (event) => {
    const chip = event.target.closest("a[data-moves]");
    if (!chip || event.button !== 0) return;
    drag = { chip, x: event.clientX, y: event.clientY, ghost: null, cell: null };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) >= FAR_ENOUGH;
    if (!drag.ghost && far) begin(event);
    if (!drag.ghost) return;
    event.preventDefault();
    drag.ghost.style.left = `${event.clientX + 8}px`;
    drag.ghost.style.top = `${event.clientY + 8}px`;
    const cell = cellAt(event.clientX, event.clientY);
    if (cell === drag.cell) return;
    drag.cell?.classList.remove("tl-over");
    cell?.classList.add("tl-over");
    drag.cell = cell;
  });

  document.addEventListener("pointerup", () => {
    if (!drag) return;
    const { chip, cell, ghost } = drag;
    end();
    if (!ghost) return;
    droppedAt = Date.now();
    if (cell && cell !== chip.closest("td")) move(chip, cell.dataset.to);
  });

  // The click that follows a drag must not open the delivery.
  document.addEventListener("click", (event) => {
    if (Date.now() - droppedAt < 300 && event.target.closest(".tl-chip")) event.preventDefault();
  });

  document.addEventListener("pointercancel", end);
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.("a[data-moves]")) event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag) return end();
    const chip = event.target.closest?.("a[data-moves]");
    if (!chip || !event.shiftKey) return;
    const later = ["ArrowDown", "ArrowRight"].includes(event.key);
    if (!later && !["ArrowUp", "ArrowLeft"].includes(event.key)) return;
    event.preventDefault();
    const lane = [...timeline().querySelectorAll("td[data-to]")].filter(
      (cell) => cell.dataset.lane === chip.dataset.lane,
    );
    const here = lane.indexOf(chip.closest("td"));
    const to = here < 0 ? undefined : lane[here + (later ? 1 : -1)];
    if (to) move(chip, to.dataset.to);
  });
})();
