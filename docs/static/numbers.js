// Reads the numbers that readers type, as the lessons do: "483 px", "5.3x", "414,872", "18.4 %", "3/8", "4.5 million".
// The twin of dlv3.course.kit.read_number; NaN stands for what is not exactly one number.
function dlv3ReadNumber(text) {
  const digits = "\\d[\\d,.'_ ]*(?:e[-+]?\\d+)?|\\.\\d+";
  const typed = new RegExp(
    `^(?:about|around|approx\\.?|roughly|~|≈|=)?\\s*([-+])?\\s*(${digits})(?:\\s*/\\s*(${digits}))?\\s*([a-zµ%×²°./ ]*)$`, "i");
  const value = (part) => {
    let plain = part.trim();
    if (/^\d{1,3}(?:[, '_]\d{3})+(?:\.\d*)?$/.test(plain)) plain = plain.replace(/[, '_]/g, "");
    else if (plain.split(",").length === 2 && !plain.includes(".")) plain = plain.replace(",", ".");
    return Number(plain);
  };
  const found = typed.exec(text.replace(/[\u00a0\u2009\u202f]/g, " ").replace("−", "-").trim());
  if (!found) return NaN;
  let read = value(found[2]);
  if (found[3] !== undefined) read = value(found[3]) ? read / value(found[3]) : NaN;
  const times = { k: 1e3, thousand: 1e3, M: 1e6, million: 1e6, billion: 1e9 };
  read *= times[found[4].trim().split(/\s+/)[0]] ?? 1;
  return found[1] === "-" ? -read : read;
}

// A typed share as percent: 0.184 is 18.4, unless the answer itself is below 1% or the text has a %.
function dlv3AsPercent(text, value, actual) {
  return !text.includes("%") && Math.abs(value) > 0 && Math.abs(value) < 1 && Math.abs(actual) >= 1 ? 100 * value : value;
}
