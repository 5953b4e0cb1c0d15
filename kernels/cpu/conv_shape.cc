#include "cpu/conv_shape.h"

#include <algorithm>

namespace archwright::kernels {

namespace {

// Calls visit(row of the image, first column, plane element, columns) for every run of image columns
// that lie in one row of one phase plane; image columns advance by the stride.
template <class Visit>
void forEachRun(const PhasePlanes& p, int64_t image, Visit visit) {
  const ConvShape& s = p.shape;
  if (s.strideY == 1 && s.strideX == 1) {
    const int64_t base = p.margin + image * p.plane;
    for (int64_t y = 0; y < s.inHeight; y++) visit(y, int64_t{0}, base + y * p.pitch, s.inWidth);
    return;
  }
  for (int64_t phaseY = 0; phaseY < s.strideY; phaseY++) {
    for (int64_t phaseX = 0; phaseX < s.strideX; phaseX++) {
      const int64_t base = ((phaseY * s.strideX + phaseX) * p.images + image) * p.plane;
      // Column c of the plane is image column c·stride + phase − pad.
      const int64_t shift = phaseX - s.padLeft;
      const int64_t first = shift >= 0 ? 0 : (-shift + s.strideX - 1) / s.strideX;
      const int64_t last = std::min(p.pitch, (s.inWidth - shift + s.strideX - 1) / s.strideX);
      if (first >= last) continue;
      for (int64_t row = 0; row < p.rows; row++) {
        const int64_t y = row * s.strideY + phaseY - s.padTop;
        if (y < 0 || y >= s.inHeight) continue;
        visit(y, first * s.strideX + shift, base + row * p.pitch + first, last - first);
      }
    }
  }
}

}  // namespace

PhasePlanes::PhasePlanes(const ConvShape& s, int64_t imageCount)
    : shape(s), images(imageCount), margin(0) {
  const int64_t reachY = (s.kernelHeight - 1) * s.dilationY;
  const int64_t reachX = (s.kernelWidth - 1) * s.dilationX;
  int64_t tail = 0;
  if (s.strideY == 1 && s.strideX == 1) {
    const int64_t padBottom = std::max<int64_t>(0, s.outHeight + reachY - s.padTop - s.inHeight);
    const int64_t padRight = std::max<int64_t>(0, s.outWidth + reachX - s.padLeft - s.inWidth);
    pitch = std::max(s.outWidth, s.inWidth + std::max(s.padLeft, padRight));
    rows = std::max(s.outHeight, s.inHeight + std::max(s.padTop, padBottom));
    margin = s.padTop * pitch + s.padLeft;
    // Outputs in the gap of the last row look this far beyond it.
    tail = (padBottom + 1) * pitch + padRight + reachX;
  } else {
    pitch = s.outWidth + reachX / s.strideX;
    rows = s.outHeight + reachY / s.strideY;
  }
  plane = rows * pitch;
  flat = s.outHeight * pitch;
  size = margin + s.strideY * s.strideX * images * plane + tail + slack;
}

void PhasePlanes::split(const float* channel, int64_t image, float* planes) const {
  forEachRun(*this, image, [&](int64_t y, int64_t x, int64_t element, int64_t columns) {
    const float* from = channel + y * shape.inWidth + x;
    float* to = planes + element;
    if (shape.strideX == 1) {
      std::copy_n(from, columns, to);
    } else {
      for (int64_t i = 0; i < columns; i++) to[i] = from[i * shape.strideX];
    }
  });
}

void PhasePlanes::join(const float* planes, int64_t image, float* channel) const {
  // Image elements that no tap reaches (a stride that leaves a rest) lie in no plane.
  std::fill_n(channel, shape.inPlane(), 0.0f);
  forEachRun(*this, image, [&](int64_t y, int64_t x, int64_t element, int64_t columns) {
    const float* from = planes + element;
    float* to = channel + y * shape.inWidth + x;
    if (shape.strideX == 1) {
      std::copy_n(from, columns, to);
    } else {
      for (int64_t i = 0; i < columns; i++) to[i * shape.strideX] = from[i];
    }
  });
}

void PhasePlanes::spread(const float* compactRows, float* flatRows) const {
  for (int64_t y = 0; y < shape.outHeight; y++)
    std::copy_n(compactRows + y * shape.outWidth, shape.outWidth, flatRows + y * pitch);
}

void PhasePlanes::compact(const float* flatRows, float* compactRows) const {
  for (int64_t y = 0; y < shape.outHeight; y++)
    std::copy_n(flatRows + y * pitch, shape.outWidth, compactRows + y * shape.outWidth);
}

}  // namespace archwright::kernels
