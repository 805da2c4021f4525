//! The forward pass of BERT (Devlin et al. 2019) for one text at a time: no padding, no mask.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{
    Embedding, LayerNorm, Linear, Module, VarBuilder, embedding, layer_norm, linear, ops,
};

use super::DIMENSIONS;

const WORDS: usize = 30_522;
const PLACES: usize = 512;
const SEGMENTS: usize = 2;
const LAYERS: usize = 6;
const HEADS: usize = 12;
const HEAD: usize = DIMENSIONS / HEADS;
const INNER: usize = 1536;
const EPSILON: f64 = 1e-12;

/// The network.
#[derive(Debug)]
pub(super) struct Bert {
    words: Embedding,
    places: Embedding,
    /// What stands for the first segment; there is no other.
    segment: Tensor,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    inner: Linear,
    outer: Linear,
    norm: LayerNorm,
}

impl Bert {
    /// The network in the bytes of a safetensors file.
    pub(super) fn read(weights: Vec<u8>) -> Result<Self> {
        let file = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)?;
        let at = file.pp("embeddings");
        let segments = embedding(SEGMENTS, DIMENSIONS, at.pp("token_type_embeddings"))?;
        Ok(Self {
            words: embedding(WORDS, DIMENSIONS, at.pp("word_embeddings"))?,
            places: embedding(PLACES, DIMENSIONS, at.pp("position_embeddings"))?,
            segment: segments.embeddings().get(0)?,
            norm: layer_norm(DIMENSIONS, EPSILON, at.pp("LayerNorm"))?,
            layers: (0..LAYERS)
                .map(|layer| Layer::read(&file.pp(format!("encoder.layer.{layer}"))))
                .collect::<Result<_>>()?,
        })
    }

    /// The mean of what the last layer says of the tokens.
    pub(super) fn mean(&self, tokens: &[u32]) -> Result<Vec<f32>> {
        let places = Tensor::arange(0, tokens.len() as u32, &Device::Cpu)?;
        let words = self.words.forward(&Tensor::new(tokens, &Device::Cpu)?)?;
        let sum = (words + self.places.forward(&places)?)?.broadcast_add(&self.segment)?;
        let mut states = self.norm.forward(&sum)?;
        for layer in &self.layers {
            states = layer.forward(&states)?;
        }
        states.mean(0)?.to_vec1()
    }
}

impl Layer {
    fn read(at: &VarBuilder<'_>) -> Result<Self> {
        let square = |name: &str| linear(DIMENSIONS, DIMENSIONS, at.pp(name));
        let norm = |name: &str| layer_norm(DIMENSIONS, EPSILON, at.pp(name));
        Ok(Self {
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            attended: square("attention.output.dense")?,
            attended_norm: norm("attention.output.LayerNorm")?,
            inner: linear(DIMENSIONS, INNER, at.pp("intermediate.dense"))?,
            outer: linear(INNER, DIMENSIONS, at.pp("output.dense"))?,
            norm: norm("output.LayerNorm")?,
        })
    }

    /// Of `[tokens, dimensions]`.
    fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let tokens = states.dim(0)?;
        let heads = |part: &Linear| {
            let all = part.forward(states)?.reshape((tokens, HEADS, HEAD))?;
            all.transpose(0, 1)?.contiguous()
        };
        let (query, key, value) = (heads(&self.query)?, heads(&self.key)?, heads(&self.value)?);
        let scores = (query.matmul(&key.transpose(D::Minus2, D::Minus1)?.contiguous()?)?
            / (HEAD as f64).sqrt())?;
        let mixed = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        let mixed = mixed.transpose(0, 1)?.contiguous()?.reshape((tokens, DIMENSIONS))?;
        let states = self.attended_norm.forward(&(self.attended.forward(&mixed)? + states)?)?;
        let inner = self.inner.forward(&states)?.gelu_erf()?;
        self.norm.forward(&(self.outer.forward(&inner)? + states)?)
    }
}
