// Notes that are being written are kept in this tab, and a verdict that cannot be saved leaves the page as it is.
"use strict";
(() => {
  const form = document.querySelector("form.verdicts");
  if (!form) return;
  const note = form.elements.note;
  const hint = document.getElementById("draft");
  const complaint = document.getElementById("unsaved");
  const name = "note/" + form.dataset.draft;
  const fold = text => text.trim().split(/\s+/).join(" ");
  let pressed = null;
  let natively = false;
  let sending = false;

  // A browser that is told to store nothing throws.
  const store = what => {
    try {
      return what(sessionStorage);
    } catch {
      return null;
    }
  };
  const keep = () => {
    const changed = fold(note.value) !== fold(note.defaultValue);
    store(kept => changed ? kept.setItem(name, note.value) : kept.removeItem(name));
    hint.hidden = !changed;
  };
  note.value = store(kept => kept.getItem(name)) ?? note.value;
  keep();
  note.addEventListener("input", keep);
  // A page from the browser's memory shows what stood when it was left.
  window.addEventListener("pageshow", event => { if (event.persisted) location.reload(); });

  const stay = why => {
    complaint.querySelector("p").textContent = "Not saved. " + why;
    complaint.hidden = false;
    complaint.scrollIntoView({block: "center"});
    sending = false;
    document.dispatchEvent(new Event("stayed"));
  };
  const gone = () => `isocost view does not answer. Try again; if it has ended, start it again with --port ${location.port || 80} and open the `
    + "link that it prints in this tab: your note stays.";
  const whyNot = async answer => {
    if (answer.status !== 403 && answer.status !== 404) return await answer.text();
    return "isocost view was started again: open the link that it printed in this tab. Your note stays, the verdict has to be given again.";
  };
  const asPage = () => {  // the answer is a page that asks
    natively = true;
    document.dispatchEvent(new Event("stayed"));
    form.requestSubmit(pressed);
  };
  const send = async address => {
    const body = new URLSearchParams(new FormData(form, pressed));
    const answer = await fetch(address, {method: "POST", body, headers: {"isocost-script": "1"}, signal: AbortSignal.timeout(20000)});
    if (answer.status === 409) return asPage();
    if (!answer.ok) return stay(await whyNot(answer));
    if (address === form.getAttribute("action") && pressed.value !== "skip") store(kept => kept.removeItem(name));
    location.assign(await answer.text());
  };
  form.addEventListener("submit", event => {
    if (natively || !event.submitter) return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    pressed = event.submitter;
    send(pressed.getAttribute("formaction") || form.getAttribute("action"))
      .catch(() => stay(gone()));
  });
  complaint.querySelector("button").addEventListener("click", () => form.requestSubmit(pressed));
})();
