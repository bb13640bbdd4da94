/** Thrown for a page that is as the format allows and not as it is read, in place of the error for damage. */
export class UnsupportedPage extends RangeError {
  override readonly name = "UnsupportedPage";
}
