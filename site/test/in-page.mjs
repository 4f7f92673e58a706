// Functions that run in the page: each must stand alone.
/* global document, getComputedStyle, innerWidth */

/** Where its links lead, which anchors it has, and which pictures did not come. */
export function contents() {
  return {
    links: [...document.querySelectorAll('a[href]')].map((each) => each.href),
    ids: [...document.querySelectorAll('[id]')].map((each) => each.id),
    lostPictures: [...document.images]
      .filter((each) => each.complete && each.naturalWidth === 0)
      .map((each) => each.src),
  };
}

/** By how many pixels the page is wider than the window, and the elements that reach beyond it. */
export function overflow() {
  const beyond = document.documentElement.scrollWidth - innerWidth;
  const culprits = [...document.querySelectorAll('.vp-doc *')]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .filter((each) => each.closest('table, pre') === null)
    .slice(0, 3)
    .map((each) => `${each.tagName} ${each.textContent?.slice(0, 60)}`);
  return { beyond, culprits };
}

/** Tables that have to be pushed sideways to be read. */
export const wideTables = () =>
  [...document.querySelectorAll('.vp-doc table')]
    .filter((each) => each.scrollWidth > each.clientWidth + 1)
    .map(
      (each) => `${each.scrollWidth - each.clientWidth} px: ${each.rows[0]?.textContent.trim()}`,
    );

/** The lowest contrast of the text of the page with what is behind it, as WCAG 2 computes it. */
export function lowestContrast() {
  const numbers = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (channels) => {
    const [red, green, blue] = channels.map((each) => {
      const share = each / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const over = ([red, green, blue, alpha = 1], below) =>
    [red, green, blue].map((each, i) => each * alpha + below[i] * (1 - alpha));
  const behind = (element) => {
    const layers = [];
    for (let each = element; each !== null; each = each.parentElement) {
      layers.push(numbers(getComputedStyle(each).backgroundColor));
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255]);
  };
  let lowest = { ratio: 21, where: '' };
  for (const element of document.querySelectorAll(
    '.vp-doc :is(h1, h2, h3, p, li, td, th, code, a)',
  )) {
    if (element.closest('pre') !== null || element.textContent?.trim() === '') continue;
    if (element.matches('.header-anchor')) continue;
    const ground = behind(element);
    const text = over(numbers(getComputedStyle(element).color), ground);
    const [light, dark] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    if (ratio < lowest.ratio) {
      lowest = { ratio, where: `${element.tagName} "${element.textContent?.slice(0, 40)}"` };
    }
  }
  return lowest;
}

export const hasScheme = (scheme) =>
  document.documentElement.classList.contains('dark') === (scheme === 'dark');

/** Colours fade from one scheme to the other. */
export function endFading() {
  for (const each of document.getAnimations()) each.finish();
}
