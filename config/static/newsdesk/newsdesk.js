// The console's own behaviour. Every act works without it; this opens dialogs in place, keeps
// unsaved typing when an act is clicked, and stops double clicks.
(() => {
  "use strict";

  const mainForm = () => document.querySelector("#content-main form.warn-unsaved-form");
  let typed = false;

  // An act on a page with unsaved typing saves first: the act's fields travel with the main form,
  // and the server does both, in that order.
  function carry(actForm, form) {
    const data = new FormData(actForm);
    const put = (name, value) => {
      const input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      input.value = value;
      form.append(input);
    };
    put("_act", actForm.dataset.act);
    for (const [name, value] of data) {
      if (!["csrfmiddlewaretoken", "version", "next"].includes(name) && typeof value === "string") {
        put(`act-${name}`, value);
      }
    }
    form.requestSubmit();
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches(".desk-act-form")) {
      const asks = form.dataset.asks && document.getElementById(form.dataset.asks);
      if (asks) {
        event.preventDefault();
        asks.showModal();
        return;
      }
      const main = mainForm();
      if (main && typed && main.querySelector("[data-carries-acts]")) {
        event.preventDefault();
        carry(form, main);
        return;
      }
    }
    if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 3000) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") form.dataset.sent = String(Date.now());
  });

  document.addEventListener("click", (event) => {
    const closes = event.target.closest("[data-close-dialog]");
    if (closes) closes.closest("dialog").close();
  });

  document.addEventListener("click", async (event) => {
    const copies = event.target.closest("[data-copies]");
    if (!copies) return;
    const field = document.getElementById(copies.dataset.copies);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // there is no clipboard on a page without https
    }
    copies.textContent = "Copied";
  });

  // Nothing is exchanged under the hands of somebody who types or drags in it.
  function isInHand(card) {
    const focused = document.activeElement;
    if (card.contains(focused) && focused.matches("input, select, textarea")) return true;
    if (card.querySelector("[data-dragged], dialog[open]")) return true;
    return [...card.querySelectorAll("input[type=url], input[type=text]")].some(
      (field) => field.value !== field.defaultValue,
    );
  }

  // The new card in the old one's place; what was focused, unfolded or scrolled stays so.
  function exchange(card, next) {
    const focused = card.contains(document.activeElement) ? document.activeElement.id : "";
    const unfolded = [...card.querySelectorAll("details[open][id]")].map((each) => each.id);
    const scrolled = [...card.querySelectorAll("[data-scrolls]")].map((each) => [
      each.scrollLeft,
      each.scrollTop,
    ]);
    card.replaceWith(next);
    for (const id of unfolded) next.querySelector(`#${id}`)?.setAttribute("open", "");
    next.querySelectorAll("[data-scrolls]").forEach((each, number) => {
      if (scrolled[number]) [each.scrollLeft, each.scrollTop] = scrolled[number];
    });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  // A card with data-live is fetched anew every data-live-seconds, while somebody looks at it.
  function keepLive(card) {
    const seconds = Number(card.dataset.liveSeconds);
    if (!seconds) return;
    setTimeout(async () => {
      if (!card.isConnected) return;
      if (document.hidden || isInHand(card)) return keepLive(card);
      try {
        const answer = await fetch(card.dataset.live, { headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const next = fresh.querySelector("[data-live]");
        if (!next) return;
        if (isInHand(card)) return keepLive(card);
        exchange(card, next);
        keepLive(next);
      } catch {
        keepLive(card); // the desk may be restarting
      }
    }, seconds * 1000);
  }

  // A page's own script has fetched a card: `detail` is {card, fresh}.
  document.addEventListener("desk:exchange", ({ detail }) => {
    exchange(detail.card, detail.fresh);
    keepLive(detail.fresh);
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-live]").forEach(keepLive);
    const main = mainForm();
    if (!main) return;
    const watch = (event) => {
      if (event.isTrusted || event.target.matches("textarea")) typed = true;
    };
    main.addEventListener("input", watch);
    main.addEventListener("change", watch);
  });
})();
