#include "cpu/augment.h"

#include <algorithm>

#include "cpu/simd.h"

namespace archwright::kernels {
namespace {

// A line of pixels, normalised, written from the left or from the right.
template <class From>
ARCHWRIGHT_INLINE void writeLine(const From* from, ptrdiff_t count, float scale, float shift,
                                 bool mirrored, float* out) {
  if (mirrored) {
    for (ptrdiff_t i = 0; i < count; ++i) {
      out[count - 1 - i] = static_cast<float>(from[i]) * scale + shift;
    }
  } else {
    for (ptrdiff_t i = 0; i < count; ++i) out[i] = static_cast<float>(from[i]) * scale + shift;
  }
}

template <int Width, class From>
ARCHWRIGHT_INLINE void change_body(const From* image, const ImageShape& shape,
                                   const ImageChange& change, const ChannelAffine& affine,
                                   float* out) {
  const auto height = static_cast<ptrdiff_t>(shape.height);
  const auto width = static_cast<ptrdiff_t>(shape.width);
  // Columns [first, end) of the crop lie inside the image; in the output they begin at `start`.
  const ptrdiff_t first = std::clamp<ptrdiff_t>(-change.dx, 0, width);
  const ptrdiff_t end = std::clamp<ptrdiff_t>(width - change.dx, first, width);
  const ptrdiff_t start = change.flip ? width - end : first;
  const ptrdiff_t inside = end - first;
  for (size_t c = 0; c < shape.channels; ++c, image += height * width) {
    const float scale = affine.scale[c];
    const float shift = affine.shift[c];
    for (ptrdiff_t y = 0; y < height; ++y, out += width) {
      const ptrdiff_t from = y + change.dy;
      if (from < 0 || from >= height) {
        std::fill(out, out + width, shift);
      } else {
        std::fill(out, out + start, shift);
        std::fill(out + start + inside, out + width, shift);
        writeLine(image + from * width + first + change.dx, inside, scale, shift, change.flip,
                  out + start);
      }
      if (static_cast<size_t>(y) >= change.top && static_cast<size_t>(y) < change.bottom) {
        std::fill(out + change.left, out + change.right, 0.0f);
      }
    }
  }
}

ARCHWRIGHT_DISPATCH(change,
                    (const uint8_t* image, const ImageShape& shape, const ImageChange& change,
                     const ChannelAffine& affine, float* out),
                    (image, shape, change, affine, out))
ARCHWRIGHT_DISPATCH(change,
                    (const float* image, const ImageShape& shape, const ImageChange& change,
                     const ChannelAffine& affine, float* out),
                    (image, shape, change, affine, out))

template <int Width>
ARCHWRIGHT_INLINE void mix_body(const float* own, const float* other, size_t length, float share,
                                float* out) {
  const float rest = 1 - share;
  for (size_t i = 0; i < length; ++i) out[i] = share * own[i] + rest * other[i];
}

ARCHWRIGHT_DISPATCH(mix,
                    (const float* own, const float* other, size_t length, float share, float* out),
                    (own, other, length, share, out))

}  // namespace

void changeImage(const uint8_t* image, const ImageShape& shape, const ImageChange& what,
                 const ChannelAffine& affine, float* out) {
  change(image, shape, what, affine, out);
}

void changeImage(const float* image, const ImageShape& shape, const ImageChange& what,
                 const ChannelAffine& affine, float* out) {
  change(image, shape, what, affine, out);
}

void mixRows(const float* rows, const uint32_t* partners, size_t count, size_t length, float share,
             float* out) {
  for (size_t b = 0; b < count; ++b, out += length) {
    mix(rows + b * length, rows + partners[b] * length, length, share, out);
  }
}

}  // namespace archwright::kernels
