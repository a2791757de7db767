// The theme puts each copy button into a landmark without a name; none is meant.
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav")) nav.role = "presentation";
}).observe(document.body, { childList: true, subtree: true });
