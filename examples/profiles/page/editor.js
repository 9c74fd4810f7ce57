// Two editors of one profile. An Editor knows what it has read (base, tag), sends
// only what it has changed, as a merge patch (RFC 7396), and demands with If-Match
// that the profile is still the one that it has read.

const members = ["name", "role", "city", "bio"];
const profile = "/profiles/1";

class Editor {
  constructor(who) {
    this.who = who;
    this.pane = document.getElementById("pane").content.cloneNode(true).firstElementChild;
    this.pane.id = who;
    this.find(".who").textContent = who;
    this.form = this.find("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    this.form.addEventListener("input", () => { this.attempt = undefined; this.mark(); });
    this.find(".merge").addEventListener("click", () => this.merge());
    document.querySelector("main").append(this.pane);
  }

  find(selector) { return this.pane.querySelector(selector); }
  field(member) { return this.form.elements[member]; }

  // read fetches the profile as it is now.
  async read() {
    const answer = await this.send("GET", {});
    return { base: await answer.json(), tag: answer.headers.get("ETag") };
  }

  async load() {
    this.see(await this.read());
    for (const m of members) this.field(m).value = this.base[m] ?? "";
    this.mark();
  }

  // see makes a state of the profile what this editor knows.
  see({ base, tag }) {
    this.base = base;
    this.tag = tag;
    this.attempt = undefined;
    this.find(".tag").textContent = tag;
  }

  // changes is the merge patch: what differs from what was read; null removes.
  changes() {
    const patch = {};
    for (const m of members) {
      const value = this.field(m).value.trim();
      if (value !== (this.base[m] ?? "")) patch[m] = value === "" ? null : value;
    }
    return patch;
  }

  async save() {
    const patch = this.changes();
    if (Object.keys(patch).length === 0) return this.say("There is nothing to save.");
    // One key per logical save: a retry of it, after a lost connection, is
    // answered with the first answer and not with 412.
    this.attempt ??= crypto.randomUUID();
    const answer = await this.send("PATCH", {
      "Content-Type": "application/merge-patch+json", "If-Match": this.tag, "Idempotency-Key": this.attempt,
    }, patch);
    if (answer.ok) {
      this.see({ base: await answer.json(), tag: answer.headers.get("ETag") });
      this.mark();
      this.say(`Saved. The profile is now version ${this.base.version}.`, "good");
      show(this.base);
      return;
    }
    const problem = await answer.json();
    this.say(problem.detail ?? problem.title, "bad");
    this.find(".merge").hidden = answer.status !== 412;
  }

  // merge fetches what the others made of the profile and puts this editor's
  // changes on top. Where both changed one member, this editor's stays in the
  // field and the other's stands below it.
  async merge() {
    const mine = this.changes();
    const before = this.base;
    this.see(await this.read());
    let both = 0;
    for (const m of members) {
      const theirs = (this.base[m] ?? "") !== (before[m] ?? "");
      if (!(m in mine)) this.field(m).value = this.base[m] ?? "";
      this.mark(m, theirs, m in mine);
      if (theirs && m in mine) both++;
    }
    this.find(".merge").hidden = true;
    this.say(both === 0
      ? "Merged: what the others changed is blue, what you changed is yellow. Save again."
      : "Merged. Somebody else changed what you changed too: look at it, then save again.");
  }

  // mark shows which members differ from what was read.
  mark(only, theirs = false, mine = false) {
    for (const m of only ? [only] : members) {
      const label = this.field(m).closest("label");
      label.querySelector("small")?.remove();
      label.classList.toggle("theirs", theirs && !mine);
      label.classList.toggle("mine", m in this.changes());
      if (theirs && mine) label.insertAdjacentHTML("beforeend", "<small></small>");
      if (theirs && mine) label.lastElementChild.textContent = `theirs: ${this.base[m] ?? "(removed)"}`;
    }
  }

  say(text, kind = "") {
    this.find(".message").textContent = text;
    this.find(".message").className = `message ${kind}`;
  }

  // send sends a request and writes it and its answer down.
  async send(method, headers, body) {
    const condition = headers["If-Match"] ? `  If-Match: ${headers["If-Match"]}` : "";
    this.log(`→ ${method} ${profile}${condition}${body ? "  " + JSON.stringify(body) : ""}`);
    const answer = await fetch(profile, { method, headers, cache: "no-store", body: body && JSON.stringify(body) });
    const tag = answer.headers.get("ETag");
    this.log(`← ${answer.status} ${answer.statusText}${tag ? "  ETag: " + tag : ""}`, answer.ok ? "good" : "bad");
    return answer;
  }

  log(text, kind = "") {
    const line = document.createElement("li");
    line.textContent = text;
    line.className = kind;
    this.find(".wire").append(line);
  }
}

function show(state) {
  document.getElementById("server").textContent = JSON.stringify(state);
}

const ada = new Editor("Ada");
const bob = new Editor("Bob");

// play tells the story by pressing the buttons that a person would press.
async function play(pause) {
  const rest = () => new Promise((resolve) => setTimeout(resolve, pause));
  const type = (editor, member, text) => {
    editor.field(member).value = text;
    editor.field(member).dispatchEvent(new Event("input", { bubbles: true }));
  };
  // press clicks and waits until the editor has an answer.
  const press = async (editor, selector) => {
    const message = editor.find(".message");
    const said = new Promise((resolve) => {
      const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
      observer.observe(message, { childList: true });
    });
    editor.find(selector).click();
    await said;
    await rest();
  };
  document.getElementById("play").disabled = true;
  await Promise.all([ada.load(), bob.load()]);
  await rest();
  type(ada, "city", ada.base.city === "New York" ? "Arlington" : "New York");
  type(bob, "bio", `Found the first bug, ${new Date().toISOString().slice(0, 19)}.`);
  await rest();
  await press(ada, "[type=submit]"); // 200
  await press(bob, "[type=submit]"); // 412: Ada was first
  await press(bob, ".merge");
  await press(bob, "[type=submit]"); // 200, with both changes
  document.getElementById("play").disabled = false;
  document.body.dataset.story = "told";
}

document.getElementById("play").addEventListener("click", () => play(1500));
await Promise.all([ada.load(), bob.load()]);
show(ada.base);
if (location.hash === "#play") await play(0);
