// Crop, flip, normalisation and cut-out of one image on its way from the data set into the batch, and
// the mixing of a batch with itself.
#pragma once

#include <cstddef>
#include <cstdint>

namespace archwright::kernels {

struct ImageShape {
  size_t channels;
  size_t height;
  size_t width;
};

// What is done to one image. Pixel (y, x) of the crop is pixel (y + dy, x + dx) of the image, 0 where
// there is none; then the crop is mirrored left to right; then, normalised, columns [left, right) of
// rows [top, bottom) become 0.
struct ImageChange {
  ptrdiff_t dy = 0;
  ptrdiff_t dx = 0;
  bool flip = false;
  size_t top = 0;
  size_t bottom = 0;
  size_t left = 0;
  size_t right = 0;
};

// Normalisation: pixel · scale[c] + shift[c].
struct ChannelAffine {
  const float* scale;
  const float* shift;
};

void changeImage(const uint8_t* image, const ImageShape& shape, const ImageChange& change,
                 const ChannelAffine& affine, float* out);
void changeImage(const float* image, const ImageShape& shape, const ImageChange& change,
                 const ChannelAffine& affine, float* out);

// out[b] = share · rows[b] + (1 − share) · rows[partners[b]], for `count` rows of `length`.
void mixRows(const float* rows, const uint32_t* partners, size_t count, size_t length, float share,
             float* out);

}  // namespace archwright::kernels
