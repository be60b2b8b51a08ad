"""Floor 1: the model that a request asks for, as its URL or its JSON body names it."""
