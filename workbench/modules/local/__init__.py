"""`TrainableModule`: a model of one's own, fine-tuned and deployed here, and the parts that it is made of."""
