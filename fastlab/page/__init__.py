"The web page: draw a character, watch the network read it (`fastlab draw`)."
