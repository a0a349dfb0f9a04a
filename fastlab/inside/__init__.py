"What a trained network does, as numbers: how far it sees, what it costs, what it answers to, and what moves it."
