ALTER TABLE deployment ADD COLUMN live_models TEXT;  -- ONNX models of the live generation that the gateway scores itself, as its route says; null when instances score
