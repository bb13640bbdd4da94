/**
 * What a warp's lanes compute together: the tensor cores' products from the fragment layouts of PTX, and the loads of
 * 8 x 8 matrices. Real tensor cores add in another order and with other roundings, so the last bits differ there.
 */
#include "runtime.h"

namespace stand_in {

namespace {

typedef float Row __attribute__((vector_size(32)));  // the 8 columns of B and D

template <float (*convert)(unsigned)> void combine_mma(void* const* fragments) {
  float a[16][16];
  Row b[16], d[16];
  for (unsigned lane = 0; lane < LANES; lane++) {
    const auto& fragment = *static_cast<const MmaFragment*>(fragments[lane]);
    const unsigned g = lane / 4, q = lane % 4;
    for (unsigned j = 0; j < 4; j++) {
      float* const pair = &a[g + 8 * (j % 2)][2 * q + 8 * (j / 2)];
      pair[0] = convert(fragment.a[j] & 0xffffu);
      pair[1] = convert(fragment.a[j] >> 16);
      d[g + 8 * (j / 2)][2 * q + j % 2] = fragment.d[j];
    }
    for (unsigned j = 0; j < 2; j++) {
      b[2 * q + 8 * j][g] = convert(fragment.b[j] & 0xffffu);
      b[2 * q + 8 * j + 1][g] = convert(fragment.b[j] >> 16);
    }
  }
  for (unsigned i = 0; i < 16; i++) {
    Row sum = d[i];
    for (unsigned k = 0; k < 16; k++) sum += a[i][k] * b[k];
    d[i] = sum;
  }
  for (unsigned lane = 0; lane < LANES; lane++) {
    float* const out = static_cast<const MmaFragment*>(fragments[lane])->d;
    const unsigned g = lane / 4, q = lane % 4;
    for (unsigned j = 0; j < 4; j++) out[j] = d[g + 8 * (j / 2)][2 * q + j % 2];
  }
}

float from_f16(unsigned half) { return f16_bits_to_f32(half); }
float from_bf16(unsigned half) { return bits<float>(half << 16); }

}  // namespace

void combine_mma_f16(void* const* fragments) { combine_mma<from_f16>(fragments); }
void combine_mma_bf16(void* const* fragments) { combine_mma<from_bf16>(fragments); }

void combine_load_matrix(void* const* fragments) {
  const auto& first = *static_cast<const LoadMatrixFragment*>(fragments[0]);
  for (unsigned matrix = 0; matrix < first.matrices; matrix++) {
    unsigned short elements[8][8];
    for (unsigned row = 0; row < 8; row++) {
      const void* const address = static_cast<const LoadMatrixFragment*>(fragments[matrix * 8 + row])->row;
      if (note_access != nullptr) note_access(address, 16, Access::read);
      std::memcpy(elements[row], address, 16);
    }
    for (unsigned lane = 0; lane < LANES; lane++) {
      const unsigned g = lane / 4, q = lane % 4;
      const unsigned low = first.transposed ? elements[2 * q][g] : elements[g][2 * q];
      const unsigned high = first.transposed ? elements[2 * q + 1][g] : elements[g][2 * q + 1];
      static_cast<const LoadMatrixFragment*>(fragments[lane])->d[matrix] = low | high << 16;
    }
  }
}

}  // namespace stand_in
