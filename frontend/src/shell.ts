// What every page needs before it is painted: the theme; and the user menu. Built as one classic script without
// imports, because a module would run after the first paint and the page would flash in the wrong colours.
// After each change of theme the window gets a `themechange` event: whoever paints with the tokens repaints.

{
  const KEY = 'traceviewer.theme';
  const systemDark = matchMedia('(prefers-color-scheme: dark)');

  const stored = (): string => {
    try {
      return localStorage.getItem(KEY) ?? 'system';
    } catch {
      return 'system'; // storage may be blocked; the system's theme needs none
    }
  };

  const remember = (choice: string): void => {
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Blocked storage: the choice holds for this page only.
    }
  };

  let choice = stored();

  const apply = (): void => {
    const dark = choice === 'dark' || (choice === 'system' && systemDark.matches);
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
    for (const button of document.querySelectorAll('[data-theme-choice]')) {
      button.setAttribute('aria-pressed', String(button.getAttribute('data-theme-choice') === choice));
    }
    dispatchEvent(new Event('themechange'));
  };

  apply();
  systemDark.addEventListener('change', apply);
  addEventListener('storage', (event) => {
    if (event.key !== KEY) return;
    choice = stored();
    apply();
  });

  addEventListener('DOMContentLoaded', () => {
    for (const element of document.querySelectorAll<HTMLElement>('[data-needs-script]'))
      element.hidden = false;
    apply();
  });

  addEventListener('click', (event) => {
    const target = event.target as Element;
    const picked = target.closest('[data-theme-choice]')?.getAttribute('data-theme-choice');
    if (picked) {
      choice = picked;
      remember(choice);
      apply();
    }
    for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
      if (!menu.contains(target)) menu.open = false;
    }
  });

  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary')?.focus();
    }
  });
}
