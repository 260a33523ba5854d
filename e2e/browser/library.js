// The functions that the scripts of the tests are made of. They stand in front of each script. What they return is what the page observed.

// outcome resolves with the type of the first of these events.
const outcome = (target, ...types) => new Promise(resolve => {
  for (const type of types) target.addEventListener(type, () => resolve(type), {once: true});
});

// element adds an element that loads something, and resolves with "load" or "error".
const element = (name, attributes) => {
  const e = Object.assign(document.createElement(name), attributes);
  const loaded = outcome(e, "load", "error");
  document.documentElement.append(e);
  return loaded;
};

const image = src => element("img", {src});
const script = src => element("script", {src});

// message resolves with what the next document posts to this one.
const message = () => new Promise(resolve => addEventListener("message", e => resolve(e.data), {once: true}));

// frame resolves with what the document in a frame posts.
const frame = src => {
  const posted = message();
  element("iframe", {src});
  return posted;
};

// fromNowhere fetches from a sandboxed frame, which has no origin, and resolves with the text of the response or the name of the error.
const fromNowhere = resource => {
  const posted = message();
  const script = `fetch("${resource}").then(r => r.text()).catch(e => e.name).then(got => parent.postMessage(got, "*"))`;
  element("iframe", {sandbox: "allow-scripts", srcdoc: `<script>${script}</scr` + "ipt>"});
  return posted;
};

// submit navigates by a form.
const submit = (action, method) => {
  const form = Object.assign(document.createElement("form"), {action, method});
  document.documentElement.append(form);
  form.submit();
};

// click navigates by a link.
const click = href => {
  const link = Object.assign(document.createElement("a"), {href});
  document.documentElement.append(link);
  link.click();
};

// worker resolves with what a dedicated worker posts, or with {error: true} where it does not start.
const worker = src => new Promise(resolve => {
  const w = new Worker(src);
  w.addEventListener("message", e => resolve(e.data), {once: true});
  w.addEventListener("error", () => resolve({error: true}), {once: true});
});

// read fetches, and resolves with what a page may read of the response, or with {error: "TypeError"}.
const read = async (resource, init) => {
  try {
    const r = await fetch(resource, init);
    return {status: r.status, type: r.type, body: await r.text(), headers: Object.fromEntries(r.headers)};
  } catch (e) {
    return {error: e.name};
  }
};

// isolation tells whether the page is isolated, and whether it has what isolation is wanted for.
const isolation = () => ({
  isolated: crossOriginIsolated,
  shared: typeof SharedArrayBuffer == "function" && new SharedArrayBuffer(8).byteLength == 8,
});
