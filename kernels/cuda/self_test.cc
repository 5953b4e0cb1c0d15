// Every matrix kernel against a float64 reference on the host: what is timed must be right.
#include <cmath>
#include <limits>
#include <vector>

#include "matrices.h"

namespace archwright::cuda {
namespace {

// Products up to this many multiplications are checked whole.
constexpr double kWholeWork = 1 << 28;
constexpr int kDrawn = 16384;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Whether every element of C was written with a finite number, and nothing beside C was touched.
bool isWritten(const std::vector<float>& c, const Product& p) {
  for (size_t i = 0; i < c.size(); ++i) {
    const size_t row = i / static_cast<size_t>(p.ldc);
    const size_t column = i % static_cast<size_t>(p.ldc);
    const bool inside = row < static_cast<size_t>(p.m) && column < static_cast<size_t>(p.n);
    if (inside ? !std::isfinite(c[i]) : !std::isnan(c[i])) return false;
  }
  return true;
}

double errorAt(const Product& p, const std::vector<float>& a, const std::vector<float>& b,
               const std::vector<float>& c, size_t row, size_t column) {
  double sum = 0;
  double size = 0;
  const float* left = a.data() + row * static_cast<size_t>(p.lda);
  const float* right = b.data() + column * static_cast<size_t>(p.ldb);
  for (int i = 0; i < p.k; ++i) {
    const double term = static_cast<double>(left[i]) * right[i];
    sum += term;
    size += std::abs(term);
  }
  return std::abs(c[row * static_cast<size_t>(p.ldc) + column] - sum) / size;
}

}  // namespace

double selfTest(aw_cuda_kernel kernel, int m, int n, int k, uint64_t seed) {
  const Stream stream;
  const Matrices matrices(kernel, m, n, k, seed, stream.get());
  const Product& p = matrices.product();
  launchKernel(kernel, p, stream.get());
  stream.wait();
  const std::vector<float> a = matrices.readA();
  const std::vector<float> b = matrices.readB();
  const std::vector<float> c = matrices.readC();
  if (!isWritten(c, p)) return kInfinity;

  double worst = 0;
  const auto visit = [&](size_t row, size_t column) {
    worst = std::max(worst, errorAt(p, a, b, c, row, column));
  };
  const auto rows = static_cast<size_t>(m);
  const auto columns = static_cast<size_t>(n);
  if (static_cast<double>(m) * n * k <= kWholeWork) {
    for (size_t row = 0; row < rows; ++row) {
      for (size_t column = 0; column < columns; ++column) visit(row, column);
    }
    return worst;
  }
  visit(0, 0);
  visit(rows - 1, columns - 1);
  uint64_t state = seed;
  for (int i = 0; i < kDrawn; ++i) {
    // Knuth's multiplier (MMIX); the upper bits are the random ones.
    state = state * 6364136223846793005u + 1442695040888963407u;
    visit((state >> 33) % rows, (state >> 12) % columns);
  }
  return worst;
}

}  // namespace archwright::cuda
