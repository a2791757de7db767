"""The engine of the pages: a page is one program, and what it shows is what it does.

- `page` finds the blocks of a page and runs them, with notes of what `reached` looks for;
- `trials` does so apart from all else, in the process that `world` makes, and updates outputs;
- `fences` says what else may be shown as code, and checks it;
- `proofs` has what sentences state of the blocks, evaluated beside them;
- `ties` does the same for formulas, which `tex` reads as Python with the functions of `calculus`;
- `plugin` tests them with pytest, block by block, and each by the checks of `texts`;
- `figures` and `formulas` draw and typeset while the site is built: `sketches` tries the pages
  that draw, as their tests do, and `serving` lets their author see at once what is wrong;
- `runtime` puts Python beside the pages, and `runnable` says which blocks the reader's browser can
  run, with `kernel`; `searched` keeps code that is folded out of the search;
- `drawing` is what the build and the browser draw alike;
- `prose` and `built` check what a page says and what its reader gets to see, `itself` all pages;
- `names` looks up what stands in backticks, with `library` and `commands`, and `docstrings` holds
  the public docstrings to their code.
"""
