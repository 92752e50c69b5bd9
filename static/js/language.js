// A browser started without a locale calls its language "en-US@posix", which Intl refuses, and uPlot asks Intl as it loads.

try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}
