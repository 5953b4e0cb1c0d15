#include "batch_inputs.h"

#include <algorithm>
#include <cstring>

#include "cpu/augment.h"
#include "cpu/draws.h"
#include "cpu/gather_rows.h"

namespace archwright {
namespace {

using kernels::ImageChange;
using kernels::ImageShape;

size_t elementCount(const Dims& dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  return count;
}

ValuePtr createBatch(const StreamSpec& stream, size_t batch) {
  Dims dims = stream.rowDims;
  dims.insert(dims.begin(), static_cast<int64_t>(batch));
  return createTensor(stream.type, dims);
}

template <class To>
void gatherAs(const StreamSpec& stream, const uint32_t* rows, size_t batch, To* out) {
  const size_t length = elementCount(stream.rowDims);
  switch (stream.sourceType) {
    case kInt32:
      return kernels::gatherRows(static_cast<const int32_t*>(stream.source), rows, batch, length,
                                 out);
    case kUint16:
      return kernels::gatherRows(static_cast<const uint16_t*>(stream.source), rows, batch, length,
                                 out);
    default:
      return kernels::gatherRows(static_cast<const uint8_t*>(stream.source), rows, batch, length,
                                 out);
  }
}

template <class From>
void gatherScaled(const StreamSpec& stream, const uint32_t* rows, size_t batch, float* out) {
  const size_t channels = stream.scale.size();
  kernels::gatherScaledRows(static_cast<const From*>(stream.source), rows, batch, channels,
                            elementCount(stream.rowDims) / channels, stream.scale.data(),
                            stream.shift.data(), out);
}

void gather(const StreamSpec& stream, const uint32_t* rows, size_t batch, OrtValue* target) {
  if (!stream.scale.empty()) {
    auto* out = tensorData<float>(target);
    return stream.sourceType == kUint8 ? gatherScaled<uint8_t>(stream, rows, batch, out)
                                       : gatherScaled<float>(stream, rows, batch, out);
  }
  if (stream.sourceType == stream.type) {
    return kernels::copyRows(stream.source, rows, batch,
                             elementCount(stream.rowDims) * stream.sourceBytes,
                             tensorData(target));
  }
  switch (stream.type) {
    case kFloat32:
      return gatherAs(stream, rows, batch, tensorData<float>(target));
    case kInt64:
      return gatherAs(stream, rows, batch, tensorData<int64_t>(target));
    case kInt32:
      return gatherAs(stream, rows, batch, tensorData<int32_t>(target));
    default:
      return gatherAs(stream, rows, batch, tensorData<bool>(target));
  }
}

ImageShape imageShape(const StreamSpec& stream) {
  const auto dim = [&](size_t i) { return static_cast<size_t>(stream.rowDims[i]); };
  return {dim(0), dim(1), dim(2)};
}

ImageChange drawChange(const AugmentSpec& augment, const kernels::StepDraws& draws, uint32_t place,
                       const ImageShape& shape) {
  using kernels::Purpose;
  using kernels::StepDraws;
  ImageChange change;
  const auto words = draws.block(Purpose::kCropAndFlip, place);
  const auto reach = static_cast<ptrdiff_t>(augment.cropPixels);
  const auto count = static_cast<uint32_t>(2 * reach + 1);
  change.dy = static_cast<ptrdiff_t>(StepDraws::below(words[0], count)) - reach;
  change.dx = static_cast<ptrdiff_t>(StepDraws::below(words[1], count)) - reach;
  change.flip = augment.flip && StepDraws::below(words[2], 2) == 1;
  if (augment.cutoutPixels > 0) {
    const auto centre = draws.block(Purpose::kCutout, place);
    const size_t side = augment.cutoutPixels;
    const auto span = [side](uint32_t word, size_t length, size_t& from, size_t& to) {
      const size_t middle = StepDraws::below(word, static_cast<uint32_t>(length));
      from = middle - std::min(middle, side / 2);
      to = std::min(length, middle + side - side / 2);
    };
    span(centre[0], shape.height, change.top, change.bottom);
    span(centre[1], shape.width, change.left, change.right);
  }
  return change;
}

template <class From>
void gatherChanged(const StreamSpec& stream, const uint32_t* rows, size_t batch,
                   const AugmentSpec& augment, const kernels::StepDraws& draws, float* out) {
  const ImageShape shape = imageShape(stream);
  const size_t length = shape.channels * shape.height * shape.width;
  // One entry of scale and shift stands for all channels, none for pixels as they are.
  const auto spread = [&](const std::vector<float>& values, float none) {
    return values.size() == shape.channels
               ? values
               : std::vector<float>(shape.channels, values.empty() ? none : values[0]);
  };
  const std::vector<float> scale = spread(stream.scale, 1);
  const std::vector<float> shift = spread(stream.shift, 0);
  const auto* source = static_cast<const From*>(stream.source);
  for (size_t b = 0; b < batch; ++b, out += length) {
    kernels::prefetchAhead(source, rows, batch, b, length * sizeof(From));
    const ImageChange change = drawChange(augment, draws, static_cast<uint32_t>(b), shape);
    kernels::changeImage(source + rows[b] * length, shape, change, {scale.data(), shift.data()},
                         out);
  }
}

}  // namespace

BatchInputs::BatchInputs(const BatchSpec& spec) : spec_(spec) {
  for (const StreamSpec& stream : spec.streams) streams_.push_back(createBatch(stream, spec.batch));
  for (size_t i = 0; i < spec.scalars.size(); ++i) scalars_.push_back(createTensor(kFloat32, {}));
  if (!spec.augment || !spec.augment->mixup) return;
  unmixed_.resize(spec.batch * elementCount(spec.streams[spec.augment->stream].rowDims));
  share_ = createTensor(kFloat32, {});
  for (const PartnerSpec& partner : spec.augment->mixup->partners) {
    partners_.push_back(createBatch(spec.streams[partner.stream], spec.batch));
  }
}

void BatchInputs::bind(const IoBindingPtr& binding) const {
  for (size_t i = 0; i < streams_.size(); ++i) {
    bindInput(binding, spec_.streams[i].name, streams_[i]);
  }
  for (size_t i = 0; i < scalars_.size(); ++i) {
    bindInput(binding, spec_.scalars[i].name, scalars_[i]);
  }
  if (share_ == nullptr) return;
  const MixupSpec& mixup = *spec_.augment->mixup;
  bindInput(binding, mixup.share, share_);
  for (size_t i = 0; i < partners_.size(); ++i) {
    bindInput(binding, mixup.partners[i].input, partners_[i]);
  }
}

void BatchInputs::fill(size_t step) {
  const uint32_t* rows = spec_.order + step * spec_.batch;
  for (size_t i = 0; i < spec_.streams.size(); ++i) {
    if (spec_.augment && spec_.augment->stream == i) continue;
    gather(spec_.streams[i], rows, spec_.batch, streams_[i].get());
  }
  for (size_t i = 0; i < spec_.scalars.size(); ++i) {
    *tensorData<float>(scalars_[i].get()) = spec_.scalars[i].values[step];
  }
  if (spec_.augment) augment(step, rows);
}

void BatchInputs::augment(size_t step, const uint32_t* rows) {
  const AugmentSpec& augment = *spec_.augment;
  const StreamSpec& stream = spec_.streams[augment.stream];
  const kernels::StepDraws draws(augment.seed, augment.firstStep + step);
  auto* images = tensorData<float>(streams_[augment.stream].get());
  float* changed = augment.mixup ? unmixed_.data() : images;
  if (stream.sourceType == kUint8) {
    gatherChanged<uint8_t>(stream, rows, spec_.batch, augment, draws, changed);
  } else {
    gatherChanged<float>(stream, rows, spec_.batch, augment, draws, changed);
  }
  if (!augment.mixup) return;
  const auto share = static_cast<float>(draws.share(augment.mixup->alpha));
  const std::vector<uint32_t> places = draws.permutation(spec_.batch);
  kernels::mixRows(changed, places.data(), spec_.batch, unmixed_.size() / spec_.batch, share,
                   images);
  *tensorData<float>(share_.get()) = share;
  std::vector<uint32_t> partnerRows(spec_.batch);
  std::transform(places.begin(), places.end(), partnerRows.begin(),
                 [rows](uint32_t place) { return rows[place]; });
  for (size_t i = 0; i < partners_.size(); ++i) {
    gather(spec_.streams[augment.mixup->partners[i].stream], partnerRows.data(), spec_.batch,
           partners_[i].get());
  }
}

}  // namespace archwright
