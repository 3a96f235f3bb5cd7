"""What is sold: the rules of products, price conditions, stock and customer materials, their first data, the price of an order."""
