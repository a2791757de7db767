// The theme puts each copy button into a landmark without a name; none is meant.
// It lets wide tables scroll, but not from the keyboard.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.role = "presentation";
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0;
}).observe(document.body, { childList: true, subtree: true });

// The search takes each word for the beginning of others, also the "a" and the "is" of a sentence
// that is pasted from a report. Of more than three words, each is looked for as it stands.
const { postMessage } = Worker.prototype;
Worker.prototype.postMessage = function (message, ...rest) {
  const words = message.type === 2 ? message.data.split(/[\s"*+:\\^~-]+/).filter(Boolean) : [];
  const data = words.map((word) => `${word}^1`).join(" ");
  return postMessage.call(this, words.length > 3 ? { ...message, data } : message, ...rest);
};

// It waits for a key, and what the mouse pastes brings none.
addEventListener("input", ({ target }) => {
  if (target.matches(".md-search__input")) target.dispatchEvent(new Event("keyup"));
});
