// The training loop's request from JavaScript, and its result back.
#include "convert.h"

namespace archwright {
namespace {

std::vector<float> toFloats(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const auto array = value.As<Napi::Float32Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

// Element type of a stream's source that feeds an input of type `target`. Bytes that stand for bools are
// converted, so that every one but 0 is true.
ElementType sourceType(const Napi::Value& source, ElementType target) {
  if (target != kBool && carries(source, target)) return target;
  for (const ElementType type : {kInt32, kUint16}) {
    if (carries(source, type)) return type;
  }
  return kUint8;
}

size_t findStream(const std::vector<StreamSpec>& streams, const Napi::Value& name) {
  const std::string wanted = name.As<Napi::String>();
  const auto at = std::find_if(streams.begin(), streams.end(),
                               [&](const StreamSpec& stream) { return stream.name == wanted; });
  return static_cast<size_t>(at - streams.begin());
}

AugmentSpec toAugmentSpec(const Napi::Object& object, const std::vector<StreamSpec>& streams) {
  const auto pixels = [&](const char* key) {
    const Napi::Value number = object.Get(key);
    return number.IsUndefined() ? 0u : number.ToNumber().Uint32Value();
  };
  AugmentSpec augment;
  augment.stream = findStream(streams, object.Get("stream"));
  augment.seed = object.Get("seed").ToNumber().Uint32Value();
  augment.firstStep = static_cast<uint64_t>(object.Get("firstStep").ToNumber().Int64Value());
  augment.cropPixels = pixels("cropPixels");
  augment.flip = object.Get("flip").ToBoolean();
  augment.cutoutPixels = pixels("cutoutPixels");
  if (!object.Get("mixup").IsObject()) return augment;
  const auto mixup = object.Get("mixup").As<Napi::Object>();
  augment.mixup = MixupSpec{
      mixup.Get("alpha").ToNumber().DoubleValue(), mixup.Get("share").As<Napi::String>(),
      mapArray(mixup.Get("partners"), [&](const Napi::Object& partner) {
        return PartnerSpec{findStream(streams, partner.Get("stream")),
                           partner.Get("input").As<Napi::String>()};
      })};
  return augment;
}

BatchSpec toBatchSpec(const Napi::Object& object, KeepAlive& keep, size_t* steps) {
  BatchSpec spec;
  spec.batch = object.Get("batch").ToNumber().Uint32Value();
  size_t orderBytes = 0;
  spec.order = static_cast<const uint32_t*>(borrow(object.Get("order"), keep, &orderBytes));
  *steps = orderBytes / sizeof(uint32_t) / spec.batch;
  spec.streams = mapArray(object.Get("stream"), [&](const Napi::Object& stream) {
    const ElementType type = toElementType(stream.Get("dtype"));
    const Napi::Value source = stream.Get("source");
    return StreamSpec{stream.Get("name").As<Napi::String>(),
                      toDims(stream.Get("rowDims")),
                      type,
                      sourceType(source, type),
                      source.As<Napi::TypedArray>().ElementSize(),
                      borrow(source, keep),
                      toFloats(stream.Get("scale")),
                      toFloats(stream.Get("shift"))};
  });
  if (object.Get("augment").IsObject()) {
    spec.augment = toAugmentSpec(object.Get("augment").As<Napi::Object>(), spec.streams);
  }
  spec.scalars = mapArray(object.Get("perStep"), [&](const Napi::Object& scalar) {
    return ScalarSpec{scalar.Get("name").As<Napi::String>(),
                      static_cast<const float*>(borrow(scalar.Get("values"), keep))};
  });
  return spec;
}

}  // namespace

LoopRequest toLoopRequest(const Napi::Value& value, KeepAlive& keep) {
  const auto object = value.As<Napi::Object>();
  LoopRequest request;
  request.inputs = toBatchSpec(object, keep, &request.steps);
  request.states = mapArray(object.Get("state"), [&](const Napi::Object& state) {
    return StateSpec{toTensor(state.Get("name").As<Napi::String>(), state.Get("value"), keep),
                     state.Get("next").As<Napi::String>(),
                     state.Get("inPlace").ToBoolean()};
  });
  request.record = toStrings(object.Get("record"));
  const Napi::Value limit = object.Get("limit");
  if (limit.IsNumber()) request.limit = limit.ToNumber().DoubleValue();
  return request;
}

Napi::Object toJs(Napi::Env env, const LoopResult& result) {
  Napi::Array recorded = Napi::Array::New(env, result.recorded.size());
  for (uint32_t i = 0; i < result.recorded.size(); ++i) {
    recorded.Set(i, typedArray<Napi::Float32Array>(env, result.recorded[i]));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("steps", static_cast<double>(result.steps));
  object.Set("recorded", recorded);
  object.Set("state", toJs(env, result.states));
  object.Set("stopped", result.hitLimit ? "limit" : "finished");
  object.Set("wallNs", result.wallNs);
  object.Set("inputNs", result.inputNs);
  object.Set("stepNs", typedArray<Napi::Float64Array>(env, result.stepNs));
  return object;
}

}  // namespace archwright
