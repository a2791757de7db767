// The theme puts each copy button into a landmark without a name; none is meant.
// It lets wide tables scroll, but not from the keyboard.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.role = "presentation";
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0;
}).observe(document.body, { childList: true, subtree: true });
