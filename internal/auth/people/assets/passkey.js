// Asks the browser for a passkey and hands its answer on. Without it, or without passkeys, the page has no button.
(() => {
  "use strict";
  const button = document.querySelector("[data-passkey]");
  if (!button || !window.isSecureContext || !window.PublicKeyCredential) return;
  const said = document.getElementById("passkey-said");
  const { passkey: path, query = "", csrf = "" } = button.dataset;
  const making = path.startsWith("/account");

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => {
    let out = "";
    for (const b of new Uint8Array(buffer)) out += String.fromCharCode(b);
    return btoa(out).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };

  async function post(step, body) {
    const headers = { "Content-Type": "application/json", Accept: "application/json" };
    if (csrf) headers["X-CSRF-Token"] = csrf;
    const answer = await fetch(path + step, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error?.message ?? "That did not work.");
    return said;
  }

  const known = (list) => (list ?? []).map((c) => ({ ...c, id: bytes(c.id) }));

  async function make(asked) {
    const publicKey = { ...asked, challenge: bytes(asked.challenge), user: { ...asked.user, id: bytes(asked.user.id) }, excludeCredentials: known(asked.excludeCredentials) };
    const { response, ...c } = parts(await navigator.credentials.create({ publicKey }));
    return { ...c, response: { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject), transports: response.getTransports?.() ?? [] } };
  }

  async function show(asked) {
    const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: known(asked.allowCredentials) };
    const { response, ...c } = parts(await navigator.credentials.get({ publicKey }));
    return { ...c, response: {
      clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
      signature: text(response.signature), userHandle: text(response.userHandle ?? new ArrayBuffer(0)),
    } };
  }

  const parts = (c) => ({ id: c.id, rawId: text(c.rawId), type: c.type, clientExtensionResults: {}, response: c.response });

  async function run() {
    const asked = await post("/begin" + query, {});
    const credential = making ? await make(asked) : await show(asked);
    const body = making ? { name: document.getElementById("passkey-name").value, credential } : { credential };
    const { next } = await post("/finish", body);
    location.assign(next);
  }

  const why = (err) => {
    if (err.name === "InvalidStateError") return "This device holds a passkey of yours already.";
    if (err.name === "NotAllowedError") return "The browser gave no passkey: it was cancelled, took too long, or there is none for this page.";
    return err.message;
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    said.textContent = "";
    try {
      await run();
    } catch (err) {
      said.textContent = why(err);
    } finally {
      button.disabled = false;
    }
  });
  for (const part of document.querySelectorAll("[data-with-passkeys]")) part.hidden = false;
})();
