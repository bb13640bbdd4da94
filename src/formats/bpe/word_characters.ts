/**
 * Characters that the reference takes for parts of a word where an added token is to stand by itself: `\w` of Rust's
 * crate `regex`, which is Alphabetic, M, Nd, Pc and Join_Control. Letters are in {@linkcode CLASSES}; the table has the
 * others, written as the tables there are.
 *
 * @see Unicode Technical Standard #18, annex C; Unicode 16.0.0, DerivedCoreProperties.txt
 */
import { CLASSES, CLASSIFIED, LETTER } from "./unicode_classes.ts";

/** Parts of words that are no letters, 3,639 code points. */
const OTHERS = `
1c+9 11 io+33 7n+6 7b+18 1 1+1 1+1 1 20+a 1c+u 6 2t+6 2+5 2+1 1+3 2+9 n u+q 2j+a f+9 x+8 9 o+3 1+8 1+2 1+4 17+2
1n+8 16+n 1+w 1i+2 1+h 1+6 a+1 2+9 h+2 1k 1+6 2+1 2+2 9 a+1 2+9 e 2+2 1k 1+4 4+1 2+2 3 k+b 3 b+2 1k 1+7 1+2 1+2
k+1 2+9 a+5 1+2 1k 1+6 2+1 2+2 7+2 a+1 2+9 i 1n+4 3+2 1+3 9 e+9 g+4 1j 1+6 1+2 1+3 7+1 b+1 2+9 h+2 1k 1+6 1+2
1+3 7+1 b+1 2+9 3 c+3 1j+1 1+6 1+2 1+3 9 a+1 2+9 h+2 1y 4+5 1 1+7 6+9 2+1 1p 2+6 c+7 1+9 2f 2+8 b+6 1+9 1q+1 6+9
b 1 1 4+1 1d+j 1+1 5+a 1+z 9 2s+j 1+9 c+3 4+2 1+2 2+6 3+3 d+b 1+e jj+2 pa+2 x+3 s+2 t+1 u+1 1s+v 9 2+9 x+2 1+a
2z+1 y 3a+b 4+b a+9 3k+9 1p+4 1l+9 1+s 2+a 6+9 m+u 1d+4 1b+g b+9 h+8 c+2 u+c 2+9 18+d 1c+j 8+9 6+9 3a+2 1+k 4 6
2+2 5i+1r ek+1 1d+1 j 3f+w 33+y 2+3 ml+1f 1l1+2 3x 2o+v ef p+e 8+2 2m+1 n7p+9 1x+3 1+9 w+1 1y+b 7k 3 4 n+4 4
2b+1 1e+h a+9 6+h d+a s+7 p+c 18+3 1b+d f+9 b a+9 1b+d c 8+1 2+9 x+2 1e 1+2 2+1 5+1 1 15+4 5+1 6k+7 1+1 2+9 fms
kh+f g+f 3+1 o+2 5c+9 11 e8+1g 3s 6a 2o 8 17+4 2e+4 5m+9 11z+2 1+1 5+3 14+2 4 4l+1 fx+3 8+9 6+9 v+4 8t+1 27+3
1y+a 1d+3 3e+2 1h+e v+a 2+1 a+3 19+a 7 19+9 6+2 10+d 1+9 5+1 18 c+2 1c+d 8+3 1+b 2a+b 6 2 4d+b 5+9 6+3 1j+1 1+6
2+1 2+2 9 a+1 2+6 3+4 1v+8 1 2 1+3 1+4 1 e+1 2a+h 9+9 4 29+j c+9 5x+6 2+8 r+1 2a+g f+9 29+c 8+9 6+j 1l+e 4+9
6q+e 4l+9 1y+5 1+1 2+3 1 1+1 c+9 3b+6 2+6 3 s+9 14+6 1+3 8 9+a 1a+f 9i+9 1h+7 1+7 g+9 1k+l 1+d 3e+5 3 1+1 1+6 1
8+9 1c+4 1+1 1+4 8+9 95+3 9+1 1 1c+6 3+4 d+a x1+32 34h 6+e 8ug+r 1t2+9 2e+9 12+4 1n+6 p+9 eu+9 d1 1+1i 7+3 29
b+1 f57+1 381+9 ee+19 2+m f2+4 3+5 8+7 2+6 u+3 44+2 13d+1d e8+1i 4+1d 8 e m+4 1+e 11s+6 1+g 2+6 1+1 1+4 2s 4g+6
9+9 9w 1p+d du+d 6s+1 1+9 k5+6 31+6 5+9 1jq+p 6+p 6+p 21y+9 gvt2+6n
`;

/** Whether each code point is in {@linkcode OTHERS}; made when first asked for, as hardly a tokenizer needs it. */
let others: Set<number> | undefined;

function readOthers(): Set<number> {
  const points = new Set<number>();
  let end = 0;
  for (const range of OTHERS.trim().split(/\s+/)) {
    const [distance = "", further = "0"] = range.split("+");
    const start = end + Number.parseInt(distance, 36);
    end = start + Number.parseInt(further, 36) + 1;
    for (let point = start; point < end; point++) points.add(point);
  }
  return points;
}

/** Whether a code point is a part of words. */
export function isWordCharacter(point: number): boolean {
  if (point < CLASSIFIED && CLASSES[point] === LETTER) return true;
  others ??= readOthers();
  return others.has(point);
}
