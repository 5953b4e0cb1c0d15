// Geometry of a two-dimensional convolution, and the "phase planes" that the kernels work on.
//
// The idea: copy an image into planes padded with zeros so that every tap (ky, kx) of the kernel is
// one constant offset in a flat array. With a stride s the padded image is split into s·s planes by
// (row mod s, column mod s); a tap then reads one plane at a constant offset, and rows of all planes
// have the same pitch. Convolutions and their gradients become dot products and multiply-adds of
// contiguous vectors; no column matrix is built. The price: the gap at the end of each row, pitch −
// output width elements, is computed too, against zeros. For stride 1 neighbours share their zeros:
// what pads a row on the right pads the next one on the left, and so with images.
#pragma once

#include <cstddef>
#include <cstdint>

namespace archwright::kernels {

struct ConvShape {
  int64_t batch, groups;
  int64_t inChannels, inHeight, inWidth;
  int64_t outChannels, outHeight, outWidth;
  int64_t kernelHeight, kernelWidth;
  int64_t strideY, strideX;
  int64_t dilationY, dilationX;
  int64_t padTop, padLeft;

  int64_t inPlane() const { return inHeight * inWidth; }
  int64_t outPlane() const { return outHeight * outWidth; }
  int64_t taps() const { return kernelHeight * kernelWidth; }
  int64_t groupInChannels() const { return inChannels / groups; }
  int64_t groupOutChannels() const { return outChannels / groups; }
};

struct PhasePlanes {
  // For `imageCount` images behind one another in each plane.
  PhasePlanes(const ConvShape& s, int64_t imageCount);

  // Vector loads may run past the last element.
  static constexpr int64_t slack = 16;

  ConvShape shape;
  int64_t images;
  // Zeros before the first image.
  int64_t margin;
  // Elements per row, rows per image, elements per image in one plane.
  int64_t pitch, rows, plane;
  // Elements of one image's output when its rows have this pitch.
  int64_t flat;
  // Elements of the planes of one channel, slack included.
  int64_t size;

  // The plane that tap (ky, kx) reads.
  int64_t phase(int64_t ky, int64_t kx) const {
    const int64_t y = ky * shape.dilationY, x = kx * shape.dilationX;
    return (y % shape.strideY) * shape.strideX + x % shape.strideX;
  }
  // Where tap (ky, kx) finds the element that belongs to output (0, 0) of image 0.
  int64_t offset(int64_t ky, int64_t kx) const {
    const int64_t y = ky * shape.dilationY, x = kx * shape.dilationX;
    return phase(ky, kx) * images * plane + (y / shape.strideY) * pitch + x / shape.strideX;
  }

  // Spreads one channel of an image over its part of `planes` (`size` elements). Elements outside
  // the image are not written: they are zero from the start.
  void split(const float* channel, int64_t image, float* planes) const;
  // The reverse: every element of the channel is taken from its place in `planes`.
  void join(const float* planes, int64_t image, float* channel) const;
  // Copies rows of `outWidth` elements to rows of `pitch` elements. Gaps are not written.
  void spread(const float* compactRows, float* flatRows) const;
  // The reverse.
  void compact(const float* flatRows, float* compactRows) const;
};

}  // namespace archwright::kernels
