ALTER TABLE deployment ADD COLUMN runtime TEXT;  -- what scores, as the last plan chose it: score.py, mlflow/sklearn
